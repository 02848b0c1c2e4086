import type {
  Channel,
  ChannelEvents,
  HistoryQuery,
  PublicationDetails,
  PublishOptions,
  Receipt,
} from '@token-socket/client'
import { type Member, markHandled, RpcError } from '@token-socket/protocol'
import type { ChannelDefinition } from '../channel-definitions.js'
import { type Check, checker, inTime, next } from '../checked-value.js'
import { same } from '../message-order.js'
import type { Schema } from '../schema.js'
import { checkEvent, checkListener } from './argument-checks.js'
import { runIsolated } from './listeners.js'
import type { ContractSettings } from './settings.js'

/** Pages of history that are read although all of their messages are refused, at most. */
const MAX_PAGES = 10

/** A message or a member of a channel. */
type Arrival = PublicationDetails | Member

/** The output of a channel's schemas; empty if they refuse it. */
type Reading = readonly Arrival[] | Promise<readonly Arrival[]>

/** The part of a channel that a value belongs to. */
type Part = { readonly event: string } | { readonly uid: string }

/** A handler of a channel. */
type Handler = (arrival: never) => unknown

/** A channel of a socket, according to its contract; see `ContractChannel`, which has the types. */
export class ChannelClient {
  readonly name: string
  readonly #channel: Channel
  readonly #definition: ChannelDefinition
  readonly #settings: ContractSettings
  /** Each message is checked once, for all of its handlers. */
  readonly #readings = new WeakMap<Arrival, Reading>()

  constructor(channel: Channel, definition: ChannelDefinition, settings: ContractSettings) {
    this.name = channel.name
    this.#channel = channel
    this.#definition = definition
    this.#settings = settings
  }

  /** As in {@link Channel}: Vue creates no proxy of it. */
  get __v_skip(): boolean {
    return true
  }

  get uid(): string | undefined {
    return this.#channel.uid
  }

  get members(): readonly Arrival[] {
    const read = this.#channel.members.map(this.#readMember)
    return read.flatMap((one) => (one instanceof Promise ? [] : one))
  }

  bind(event: string, handler: Handler): () => void {
    checkEvent(event, this.#definition)
    const [listener, stop] = this.#inOrder(handler, this.#readMessage)
    const binding = this.#channel.bind(event, listener)
    return () => {
      stop()
      binding.unbind()
    }
  }

  send(event: string, data?: unknown, options?: PublishOptions): Promise<Receipt | undefined> {
    return markHandled(this.#send(event, data, options))
  }

  history(query?: HistoryQuery): Promise<readonly Arrival[]> {
    return markHandled(this.#history(query))
  }

  on(event: keyof ChannelEvents, listener: Handler): () => void {
    const isOfMember = /^(joined|left|updated)$/.test(event)
    const [heard, stop] = this.#inOrder(listener, isOfMember ? this.#readMember : (detail) => [detail])
    this.#channel.on(event, heard as () => void)
    return () => {
      stop()
      this.#channel.off(event, heard as () => void)
    }
  }

  release(): void {
    this.#channel.release()
  }

  async #send(event: string, data: unknown, options?: PublishOptions): Promise<Receipt | undefined> {
    checkEvent(event, this.#definition)
    const { checkSent, sent } = this.#settings
    const isRight = checkSent && this.#check({ event })(this.#schemaOf(event), data)
    const subject = { channel: this.name, event }
    const send = () => this.#channel.send(event, data, options)
    return sent(isRight, send, (turn) => inTime(turn, this.#settings, subject))
  }

  /**
   * An empty page would be the end, so a page whose messages are all refused is replaced by the
   * next one, within a limit.
   */
  async #history(query: HistoryQuery = {}): Promise<readonly Arrival[]> {
    let own = query
    for (let pages = 1; ; pages += 1) {
      const page = await this.#channel.history(own)
      const read = Promise.all(page.map(this.#readMessage))
      const taken = (await this.#settings.received(read, same)).flat()
      const { id } = page[page.length - 1] ?? {}
      const field = own.reverse ? 'before' : 'after'
      // A server that repeats a page has no further one.
      if (taken.length > 0 || !id || id === own[field]) return taken
      if (pages === MAX_PAGES)
        throw new RpcError('invalid_output', `No message of ${pages} pages is right`, {
          channel: this.name,
          [field]: id,
        })
      own = { ...own, [field]: id }
    }
  }

  #schemaOf(event: string): Schema | undefined {
    const { events } = this.#definition
    return Object.hasOwn(events, event) ? events[event] : undefined
  }

  #check(about: Part): Check {
    return checker({ channel: this.name, ...about }, this.#settings)
  }

  /**
   * Calls a handler with the checked messages, in the order of their arrival.
   * @returns the listener, and a function that stops it
   */
  #inOrder<A extends Arrival>(handler: Handler, read: (arrival: A) => Reading) {
    checkListener(handler)
    let isOver = false
    const listener = (arrival: A) => {
      this.#settings.received(read(arrival), (readings) => {
        for (const arrival of readings) if (!isOver) runIsolated(() => handler(arrival as never))
      })
    }
    const stop = () => {
      isOver = true
    }
    return [listener, stop] as const
  }

  /** A message of an event that the contract does not have is skipped. */
  readonly #readMessage = (message: PublicationDetails): Reading => {
    const { event = '' } = message
    const schema = this.#schemaOf(event)
    return schema ? this.#read(message, 'data', schema, { event }) : []
  }

  readonly #readMember = (member: Member): Reading => {
    return this.#read(member, 'umd', this.#definition.presence, { uid: member.uid })
  }

  /** @param about the subject of errors */
  #read(arrival: Arrival, field: 'data' | 'umd', schema: Schema | undefined, about: Part): Reading {
    const keep = <R extends Reading>(reading: R): R => {
      this.#readings.set(arrival, reading)
      return reading
    }
    const refused = (error: unknown) => {
      this.#settings.fail(error)
      return keep([])
    }
    const found = this.#readings.get(arrival)
    if (found) return found
    try {
      const value: unknown = Reflect.get(arrival, field)
      const reading = next(this.#check(about)(schema, value), (one) => keep([{ ...arrival, [field]: one }]))
      return keep(reading instanceof Promise ? reading.catch(refused) : reading)
    } catch (error) {
      return refused(error)
    }
  }
}
