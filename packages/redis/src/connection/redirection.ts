import type { Address, RedisHandle } from './redis-handle.js'
import { likeAsked } from './sharding.js'

const ANSWER = /^(MOVED|ASK|TRYAGAIN)\b(?: (\d+) (\S*):(\d+))?/

/**
 * The error of a Redis of a cluster that does not have a key, or not completely. The command was
 * not executed.
 */
export class Redirection {
  /**
   * `MOVED`: for all commands from now on. `ASK`: for this command only. `TRYAGAIN`: the key is
   * being moved.
   */
  readonly kind: string
  readonly slot: number
  /** The address of the Redis that has it; `undefined` if the error does not name one. */
  readonly to: Address | undefined
  readonly cause: unknown

  private constructor(cause: unknown, [, kind = '', slot, host, port]: RegExpExecArray) {
    this.kind = kind
    this.slot = Number(slot)
    this.to = host ? { host, port: Number(port) } : undefined
    this.cause = cause
  }

  /** Reads the error of a command. @returns `undefined` for any other error */
  static read(cause: unknown): Redirection | undefined {
    const match = cause instanceof Error ? ANSWER.exec(cause.message) : null
    return match ? new Redirection(cause, match) : undefined
  }

  /** For `catch`: throws any other error again. */
  static from(cause: unknown): Redirection {
    const redirection = Redirection.read(cause)
    if (!redirection) throw cause
    return redirection
  }
}

/**
 * Returns a client that sends `ASKING` before each command, because the slot's present primary
 * redirected it.
 */
export function asking(client: RedisHandle): RedisHandle {
  const asks = Object.create(client) as RedisHandle
  asks.sendCommand = (args) => {
    client.sendCommand(['ASKING']).catch(() => {})
    return client.sendCommand(args)
  }
  return likeAsked(asks, client)
}
