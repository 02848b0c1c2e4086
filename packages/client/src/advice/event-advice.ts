import { nearestName, RpcError } from '@token-socket/protocol'
import type { ChannelEvents } from '../channels/channel.js'
import type { TokenSocketEvents } from '../channels/events.js'
import { CONNECTION_MOVES } from '../settings/states.js'

type Check = (...args: readonly unknown[]) => boolean

const isError: Check = (error) => RpcError.is(error)
const isText: Check = (text, ...rest) => typeof text === 'string' && rest.length === 0
const isOutcome: Check = (error) => error === undefined || isError(error)

/** The events of a socket, and whether their listeners may get these arguments. */
const EVENTS: Readonly<Record<keyof TokenSocketEvents, Check>> = {
  ready: isOutcome,
  reconnect: isOutcome,
  refreshed: (session) => typeof session === 'object',
  revoked: isText,
  message: (channel, _message, details) => (Object(details) as { channel?: unknown }).channel === channel,
  direct: (...args) => args.length === 1,
  recovered: isText,
  gap: (channel, reason) => typeof channel === 'string' && typeof reason === 'string',
  connect: (...args) => args.length === 0,
  disconnect: isError,
  frameIn: isText,
  frameOut: isText,
  ping: (roundTrip) => typeof roundTrip === 'number',
  state: (state, details) => Object.hasOwn(CONNECTION_MOVES, String(state)) && typeof details === 'object',
  error: isError,
}

/** The events of a channel. */
const CHANNEL_EVENTS: Readonly<Record<keyof ChannelEvents, true>> = {
  subscribed: true,
  unsubscribed: true,
  joined: true,
  left: true,
  updated: true,
  recovered: true,
  gap: true,
  refused: true,
  revoked: true,
}

/** What other libraries call an event, and what takes its place here. */
const HABITS: Readonly<Record<string, string>> = {
  close: 'Listen for `disconnect`.',
  connect_error: 'Listen for `state`, whose details have the `error`; `status` has it, too.',
  connect_timeout: 'Listen for `state`, whose details have the `error`; or use `ready({ timeout })`.',
  connected: 'Listen for `ready`, and for `reconnect` after it.',
  connecting: 'Listen for `state`.',
  data: 'Listen for `message`.',
  disconnected: 'Listen for `disconnect`.',
  disconnecting: 'Listen for `disconnect`.',
  open: 'Listen for `ready`, and for `reconnect` after it.',
  pong: 'Listen for `ping`, which has the round trip.',
  reconnect_attempt: 'Listen for `state`, whose details have the `attempt`.',
  reconnect_error: 'Listen for `reconnect`, which has the error of a try that failed.',
  reconnect_failed: 'Listen for `state`: `failed` is final.',
  reconnecting: 'Listen for `state`, whose details have the `attempt`.',
}

/** Why a listener on a socket would wait in vain. @returns `undefined` for an event that there is */
export function listenAdvice(event: unknown): string | undefined {
  if (typeof event !== 'string' || Object.hasOwn(EVENTS, event)) return undefined
  return `There is no event "${event}" of a socket. ${meantEvent(event) ?? FOR_OTHERS(event)}`
}

function meantEvent(event: string): string | undefined {
  if (Object.hasOwn(HABITS, event)) return HABITS[event]
  const near = nearestName(event, Object.keys(EVENTS))
  return near && `Did you mean "${near}"?`
}

const FOR_OTHERS = (event: string) =>
  `For the messages of a channel use socket.channel(name).bind(event, handler); for calls of the server, an action: ` +
  `new TokenSocket(options, { ${/^[\w$]+$/.test(event) ? event : `'${event}'`}(data) { … } }).`

/** Why a listener on a channel would wait in vain. @returns `undefined` for an event that there is */
export function channelAdvice(event: unknown): string | undefined {
  if (typeof event !== 'string' || Object.hasOwn(CHANNEL_EVENTS, event)) return undefined
  const near = nearestName(event, Object.keys(CHANNEL_EVENTS))
  const meant = near ? `Did you mean "${near}"? ` : ''
  return `There is no event "${event}" of a channel. ${meant}Its messages come to channel.bind('${event}', handler).`
}

/** Why `emit` does not do what its caller wants. @returns `undefined` if it is the library itself that emits */
export function emitAdvice(event: unknown, args: readonly unknown[]): string | undefined {
  if (typeof event !== 'string') return undefined
  if (Object.hasOwn(EVENTS, event) && EVENTS[event as keyof TokenSocketEvents](...args)) return undefined
  return (
    `socket.emit("${event}") sends nothing: it calls the listeners of this socket. ` +
    `To call the server use socket.rpc("${event}", data), to publish use socket.publish(channel, data).`
  )
}
