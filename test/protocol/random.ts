/**
 * Random values from a seed, the same for the same seed: for tests of what holds for every message.
 */
import type { ClientMessage, Outcome, ServerMessage } from '@token-socket/protocol'

/** Field names of the wire, and names that objects inherit. */
const KEYS =
  'rpc uuid req channel internal command data fid resp error code token version sid message args __proto__ constructor toString'.split(
    ' ',
  )

/** Texts of the wire, and texts that break careless parsers. */
const TEXTS =
  'auth _rpc _subscribe _unsubscribe _publish _broadcast _ping a.b rpc subscribe success x __proto__ "\\\n\u2028\ud800 é😀'.split(
    ' ',
  )

/** A source of random values (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** A whole number from 0 to `below - 1`. */
  number(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) % below
  }

  /** One of several. */
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.number(choices.length)] ?? choices[0]
  }

  /** A text that is not empty, of at most 60 code units. */
  text(): string {
    const parts = Array.from({ length: 1 + this.number(4) }, () => this.pick(TEXTS as [string]))
    return parts.join(this.pick(['', '.', '-'])).slice(0, 60)
  }

  /** A JSON value; objects carry the wire's field names and `__proto__` as keys of their own. */
  json(depth = 3): unknown {
    const kind = this.number(depth > 0 ? 7 : 5)
    if (kind < 2) return this.text()
    if (kind === 2) return this.number(1e9) / 8
    if (kind === 3) return this.pick([true, false, null])
    if (kind === 4) return ''
    const size = this.number(4)
    if (kind === 5) return Array.from({ length: size }, () => this.json(depth - 1))
    return this.object(size, depth - 1)
  }

  /** An object of the wire's field names. */
  object(size: number, depth: number): object {
    const result = {}
    for (let left = size; left > 0; left -= 1) {
      const value = this.json(depth)
      Object.defineProperty(result, this.pick(KEYS as [string]), {
        value,
        enumerable: true,
        writable: true,
        configurable: true,
      })
    }
    return result
  }

  /** A text with some of its characters dropped, doubled or replaced. */
  damage(text: string): string {
    const at = this.number(text.length + 1)
    const end = at + this.number(4)
    return text.slice(0, at) + this.pick(['', text.slice(at, end).repeat(2), ...TEXTS]) + text.slice(end)
  }

  /** How a call ended. */
  outcome(): Outcome {
    if (this.number(2) === 0) return { data: this.json() }
    return {
      error: this.pick<unknown>([this.text(), { message: this.text() }]),
      code: this.pick([undefined, this.text()]),
    }
  }

  /** Any message of a client. */
  clientMessage(): ClientMessage {
    const id = this.text()
    const channel = this.text()
    const data = this.json()
    return this.pick<ClientMessage>([
      { type: 'auth', id, token: this.text(), version: this.pick([undefined, 1 + this.number(1e6)]) },
      { type: 'call', id, name: `fn.${this.text()}`, data },
      { type: this.pick(['subscribe', 'unsubscribe']), id, channel },
      { type: 'publish', id, channel, data },
      { type: 'broadcast', id, data },
      { type: 'ping', id },
      { type: 'cancel', id, reason: this.pick(['aborted', 'timeout']) },
      { type: 'result', id, outcome: this.outcome() },
    ])
  }

  /** Any message of a server. */
  serverMessage(): ServerMessage {
    const id = this.text()
    const channel = this.text()
    return this.pick<ServerMessage>([
      { type: 'answer', id, rpc: this.text(), outcome: this.outcome() },
      {
        type: 'answer',
        id,
        rpc: 'auth',
        outcome: { data: 'success' },
        session: { version: 1, sid: this.text() },
      },
      { type: 'invoke', id, name: this.text(), data: this.json(), timeout: this.pick([undefined, 0, 500]) },
      { type: this.pick(['subscribed', 'unsubscribed']), channel },
      { type: 'withdraw', id, reason: this.pick(['aborted', 'timeout']) },
      { type: 'publication', channel, data: this.json() },
      { type: 'error', error: { error: this.text(), code: this.pick([undefined, this.text()]) } },
    ])
  }
}
