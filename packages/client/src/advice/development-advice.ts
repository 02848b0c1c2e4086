import { findJsonLosses, startTimeout } from '@token-socket/protocol'
import { keepNotices } from './action-advice.js'
import { callAdvice } from './call-advice.js'
import { channelAdvice, emitAdvice, listenAdvice } from './event-advice.js'
import { reportIgnoredFailure } from './ignored-failure.js'
import { Notices } from './notices.js'
import { optionAdvice } from './option-advice.js'

export { advisedAction, adviseOnActions } from './action-advice.js'

/** Milliseconds after which a socket that listens for messages should be on a channel. */
const SUBSCRIBED_BY = 10_000

/** The place of the data among the arguments of the methods that send some. */
const DATA_AT = { rpc: 1, notify: 1, publish: 1, broadcast: 0 } as const

/** The socket that {@link advise} looks at. It has the methods of a `TokenSocket`. */
interface AdvisedSocket {
  readonly state: string
  channels(): readonly string[]
  listenerCount(event: 'message' | 'error'): number
}

/** Warns the developer of a socket of usual mistakes, each once. For development only: it puts functions around methods. */
export function advise(socket: AdvisedSocket, options: unknown): void {
  const notices = new Notices(options)
  if (notices.areSilenced) return
  keepNotices(socket, notices)
  for (const text of optionAdvice(options)) notices.warn(text)
  adviseOnEvents(socket, notices)
  adviseOnCalls(socket, notices)
  adviseOnChannels(socket, notices)
}

function adviseOnEvents(socket: AdvisedSocket, notices: Notices): void {
  const tell = (text: string | undefined) => text !== undefined && notices.warn(text)
  for (const name of ['on', 'once', 'addListener'])
    around(socket, name, ([event]) => tell(listenAdvice(event)))
  let stopTimer = () => {}
  around(socket, 'emit', ([event, ...args]) => {
    if (event === 'ready') stopTimer = startTimeout(SUBSCRIBED_BY, () => adviseToSubscribe(socket, notices))
    // A timer would keep the socket in memory.
    if (event === 'disconnect') stopTimer()
    const advice = emitAdvice(event, args)
    tell(advice)
    const [error] = args as { readonly message?: unknown }[]
    if (event === 'error' && !advice && socket.listenerCount('error') === 0)
      notices.warn(
        `An error came and nothing listens for it: ${error?.message}. Use socket.on('error', listener), or $onError(listener) of a contract's client.`,
      )
  })
}

function adviseOnCalls(socket: AdvisedSocket, notices: Notices): void {
  around(socket, 'ready', (args) => {
    for (const text of callAdvice('ready', args)) notices.warn(`ready: ${text}`)
  })
  for (const [method, index] of Object.entries({ ...DATA_AT, subscribe: -1 })) {
    around(
      socket,
      method,
      (args) => {
        for (const { path, type, remedy } of lossesIn(args[index]))
          notices.warn(`${nameOf(method, args)}: ${path} is ${type}: ${remedy}.`)
        for (const text of callAdvice(method, args)) notices.warn(`${nameOf(method, args)}: ${text}`)
        if (index >= 0 && isValue(args[index + 1]))
          notices.warn(`${nameOf(method, args)} takes one value: send an object or a list.`)
      },
      (result, args) => {
        if (args.some((arg) => typeof arg === 'function') || !(result instanceof Promise)) return
        reportIgnoredFailure(result, ({ code, message }) => {
          if (/^(failed|ended)$/.test(socket.state)) return
          notices.warn(
            `${nameOf(method, args)} failed, and nothing handles it: ${message} (${code}). Await it, or give it a callback.`,
          )
        })
      },
    )
  }
}

/** Whether it is neither options nor a callback. */
function isValue(argument: unknown): boolean {
  return argument !== undefined && typeof argument !== 'object' && typeof argument !== 'function'
}

/** A function in place of data is a callback. */
function lossesIn(data: unknown): ReturnType<typeof findJsonLosses> {
  return typeof data === 'function' ? [] : findJsonLosses(data)
}

function nameOf(method: string, [name]: readonly unknown[]): string {
  return method === 'broadcast' ? 'broadcast' : `${method}("${name}")`
}

function adviseOnChannels(socket: AdvisedSocket, notices: Notices): void {
  const known = new WeakSet<object>()
  around(
    socket,
    'channel',
    () => {},
    (channel) => {
      if (typeof channel !== 'object' || channel === null || known.has(channel)) return
      known.add(channel)
      for (const name of ['on', 'once', 'addListener'])
        around(channel, name, ([event]) => {
          const text = channelAdvice(event)
          if (text) notices.warn(text)
        })
    },
  )
}

function adviseToSubscribe(socket: AdvisedSocket, notices: Notices): void {
  const waits = socket.state === 'ready' && socket.listenerCount('message') > 0
  if (waits && socket.channels().length === 0)
    notices.warn(
      'A listener waits for `message`, and the socket is on no channel: use socket.subscribe(name), or let the server subscribe it.',
    )
}

type Method = (...args: unknown[]) => unknown

/** Runs something before a method of one object, and something after it. What the object's class has is called as ever. */
function around(
  object: object,
  name: string,
  before: (args: readonly unknown[]) => void,
  after: (result: unknown, args: readonly unknown[]) => void = () => {},
): void {
  const value = (...args: unknown[]) => {
    before(args)
    const result = (Reflect.get(Object.getPrototypeOf(object), name, object) as Method).apply(object, args)
    after(result, args)
    return result
  }
  Object.defineProperty(object, name, { value, configurable: true, writable: true })
}
