import type { Channel, ChannelEvents, HistoryQuery, PublishOptions, Receipt } from '@token-socket/client'
import { badOption, markHandled } from '@token-socket/protocol'
import type { ChannelDefinition } from '../channel-definitions.js'
import { checkedValue } from '../checked-value.js'
import type { Schema } from '../schema.js'
import { type Arrival, ChannelReader, type Reading } from './channel-reader.js'
import type { ContractChannel } from './contract-channel.js'
import { runIsolated } from './listeners.js'
import { createOrder } from './message-order.js'
import type { ContractSettings } from './settings.js'

/** What hears something of a channel. */
type Hearer = (arrival: never) => unknown

/** The events of a channel that are about a member. */
const OF_MEMBER = /^(joined|left|updated)$/

/** Makes a channel of a contract of one of the socket. @param released is called when it is needed no longer */
export function openChannel(
  channel: Channel,
  definition: ChannelDefinition,
  { released, ...settings }: ContractSettings & { released(): void },
): ContractChannel {
  const { name } = channel
  const reader = new ChannelReader(name, definition, settings)
  const [received, sent] = [createOrder(), createOrder()]

  function schemaOf(event: string): Schema {
    const schema = reader.schemaOf(event)
    if (schema) return schema
    throw badOption('event', `one of ${Object.keys(definition.events).join(', ')}`)
  }

  /** Calls with what was read, in the order in which it came. @returns the listener, and what stops it */
  function inOrder<A extends Arrival>(hearer: Hearer, read: (arrival: A) => Reading) {
    let isOver = false
    const listener = (arrival: A) => {
      received(read(arrival), (one) => {
        if (one && !isOver) runIsolated(() => hearer(one as never))
      })
    }
    const stop = () => {
      isOver = true
    }
    return [listener, stop] as const
  }

  function bind(event: string, handler: Hearer): () => void {
    schemaOf(event)
    const [listener, stop] = inOrder(handler, reader.message)
    const binding = channel.bind(event, listener)
    return () => {
      stop()
      binding.unbind()
    }
  }

  async function send(event: string, data?: unknown, options?: PublishOptions): Promise<Receipt | undefined> {
    const { checkSent, callTimeout: timeout } = settings
    const unchecked = { schema: schemaOf(event), value: data, subject: { channel: name, event } }
    const isRight = checkSent && checkedValue({ ...unchecked, code: 'invalid_input' }, { timeout })
    return sent(isRight, () => channel.send(event, data, options))
  }

  /** An empty page is the end: one whose messages are all refused is followed by the next. */
  async function history(query: HistoryQuery = {}): Promise<readonly Arrival[]> {
    const page = await channel.history(query)
    const read = await Promise.all(page.map(reader.message))
    const taken = read.filter((one) => one !== undefined)
    const { id } = page.at(-1) ?? {}
    return id && taken.length === 0 ? history({ ...query, [query.reverse ? 'before' : 'after']: id }) : taken
  }

  function on(event: keyof ChannelEvents, listener: Hearer): () => void {
    const [heard, stop] = OF_MEMBER.test(event)
      ? inOrder(listener, reader.member)
      : [(detail: unknown) => listener(detail as never), () => {}]
    channel.on(event, heard as () => void)
    return () => {
      stop()
      channel.off(event, heard as () => void)
    }
  }

  const typed = {
    name,
    get uid() {
      return channel.uid
    },
    get members() {
      return channel.members.map(reader.member).filter((one) => one && !(one instanceof Promise))
    },
    bind,
    send: (...args: Parameters<typeof send>) => markHandled(send(...args)),
    history: (query?: HistoryQuery) => markHandled(history(query)),
    on,
    release() {
      released()
      channel.release()
    },
  }
  return typed as unknown as ContractChannel
}
