import { type Member, refusal } from '@token-socket/protocol'
import { CLAIM_LIMITS, type Claims } from './claims.js'

/** Who a user is, if anything is known: as messages have it. */
export type ChannelIdentity = Partial<Member>

type Said = Pick<Claims, 'uid' | 'umd'>

/** Who a socket is: everywhere, and on the channels whose own tokens said it. */
export class ChannelIdentities {
  readonly #own: Said
  /** Made when a token says something: most sockets have none. */
  #others: Map<string, ChannelIdentity> | undefined

  /** @param own who it is where nothing else was said */
  constructor(own: Said) {
    this.#own = own
  }

  /** Who it is on a channel; or, without one, everywhere else. */
  on(channel?: string): ChannelIdentity {
    return (channel !== undefined && this.#others?.get(channel)) || known(this.#own)
  }

  /** Who it is on a channel, if a token said it. */
  said(channel: string): ChannelIdentity | undefined {
    return this.#others?.get(channel)
  }

  /**
   * Takes what a token says of a channel, in place of what one before it said. What it leaves out is as everywhere; but
   * what is known of one user is not said of another.
   * @returns a function that undoes it
   * @throws RpcError `bad_claims` for one channel too many: their names are chosen by the client
   */
  set(channel: string, { uid, umd }: Said): () => void {
    if (uid === undefined && umd === undefined) return () => {}
    const limit = CLAIM_LIMITS.channels
    this.#others ??= new Map()
    if (!this.#others.has(channel) && this.#others.size >= limit)
      throw refusal('bad_claims', { field: 'channels', limit })
    const isOther = uid !== undefined && uid !== this.#own.uid
    const inherited = isOther ? undefined : this.#own.umd
    const before = this.#others.get(channel)
    const said = known({ uid: uid ?? this.#own.uid, umd: umd === undefined ? inherited : umd })
    this.#others.set(channel, said)
    return () => this.#restore(channel, said, before)
  }

  /** A later token has the last word. */
  #restore(channel: string, said: ChannelIdentity, before: ChannelIdentity | undefined): void {
    if (this.#others?.get(channel) !== said) return
    if (before) this.#others.set(channel, before)
    else this.#others.delete(channel)
  }
}

function known({ uid, umd }: Said): ChannelIdentity {
  return { ...(uid !== undefined && { uid }), ...(umd !== undefined && { umd }) }
}
