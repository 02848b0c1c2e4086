import type { Address, RedisHandle } from './redis-handle.js'
import { likeAsked } from './sharding.js'

const ANSWER = /^(MOVED|ASK|TRYAGAIN)\b(?: (\d+) (\S*):(\d+))?/

/** What a Redis of a cluster says when a key is not there, or not only: it has done nothing. */
export class Redirection {
  /** `MOVED`: for good. `ASK`: for this time. `TRYAGAIN`: it is on its way from one to the other. */
  readonly kind: string
  readonly slot: number
  /** Who has it; `undefined` if that is not said. */
  readonly to: Address | undefined
  readonly cause: unknown

  private constructor(cause: unknown, [, kind = '', slot, host, port]: RegExpExecArray) {
    this.kind = kind
    this.slot = Number(slot)
    this.to = host ? { host, port: Number(port) } : undefined
    this.cause = cause
  }

  /** Reads what a command was refused with. @returns `undefined` for anything else */
  static read(cause: unknown): Redirection | undefined {
    const match = cause instanceof Error ? ANSWER.exec(cause.message) : null
    return match ? new Redirection(cause, match) : undefined
  }

  /** For `catch`: everything else is thrown again. */
  static from(cause: unknown): Redirection {
    const redirection = Redirection.read(cause)
    if (!redirection) throw cause
    return redirection
  }
}

/** A client that says before each command that it was sent here by who has the slot still. */
export function asking(client: RedisHandle): RedisHandle {
  const asks = Object.create(client) as RedisHandle
  asks.sendCommand = (args) => {
    client.sendCommand(['ASKING']).catch(() => {})
    return client.sendCommand(args)
  }
  return likeAsked(asks, client)
}
