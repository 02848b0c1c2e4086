import { RpcError } from '@token-socket/protocol'
import { EventEmitter } from 'eventemitter3'
import { checkEventName } from './runtime/event-names.js'
import { explainHabits, SERVER_HABITS } from './runtime/habits.js'
import { shorten } from './runtime/shorten.js'
import { EVENT_HABITS, SERVER_EVENTS, type TokenSocketServerEvents } from './server-events.js'
import type { ServerSocket } from './socket/server-socket.js'

/** An event's name, and its listener. */
type Events = TokenSocketServerEvents
type Listener<Event extends keyof Events> = EventEmitter.EventListener<Events, Event> & Events[Event]

/** Data that a client has sent, parsed and unchecked. */
export type MessageData = Parameters<EventEmitter.ListenerFn>[number]

/**
 * A listener of `message`.
 * @typeParam Data what clients send, which is not checked
 */
export type MessageListener<Data = MessageData> = (connection: ServerSocket, data: Data) => unknown

/**
 * An emitter of the server's events only: listening to an unknown event is an error. {@link
 * TokenSocketServerEvents} types the listeners, so that a veto listener without an answer does not
 * compile. `this` in a listener is the server, or the given `context`.
 */
export class ServerEmitter extends EventEmitter<Events> {
  /** @throws RpcError `bad_message` for an unknown event; the text names the nearest one */
  override on<Event extends keyof Events>(event: Event, listener: Listener<Event>, context?: unknown): this
  /** @typeParam Data what clients send, which is not checked */
  override on<Data = MessageData>(event: 'message', listener: MessageListener<Data>, context?: unknown): this
  override on<Event extends keyof Events>(event: Event, listener: Listener<Event>, context?: unknown): this {
    checkEventName(event, SERVER_EVENTS, EVENT_HABITS)
    return super.on(event, listener, context)
  }

  /** @throws RpcError as {@link on} */
  override addListener<Event extends keyof Events>(
    event: Event,
    listener: Listener<Event>,
    context?: unknown,
  ): this {
    return this.on(event, listener, context)
  }

  /** @throws RpcError as {@link on} */
  override once<Event extends keyof Events>(
    event: Event,
    listener: Listener<Event>,
    context?: unknown,
  ): this {
    checkEventName(event, SERVER_EVENTS, EVENT_HABITS)
    return super.once(event, listener, context)
  }

  /**
   * Calls the listeners of this server. It sends nothing to clients.
   * @throws RpcError `bad_message` for an unknown event; the text says how to send to clients
   */
  override emit<Event extends keyof Events>(
    event: Event,
    ...args: EventEmitter.EventArgs<Events, Event>
  ): boolean {
    if (!SERVER_EVENTS.includes(event)) throw sendsNothing(event)
    return super.emit(event, ...args)
  }
}

function sendsNothing(event: unknown): RpcError {
  const name = shorten(String(event))
  const text = `Invalid message: sockets.emit("${name}") sends nothing: ${SEND}`
  return new RpcError('bad_message', text, { field: 'event' })
}

const SEND = 'use sockets.publish(channel, data), or sockets.broadcast(data)'

explainHabits(ServerEmitter, SERVER_HABITS)
