import { limitError, type Member } from '@token-socket/protocol'
import { CLAIM_LIMITS, type Claims } from './claims.js'

/** Who a user is, if anything is known: as messages have it. */
export type ChannelIdentity = Partial<Member>

type StatedIdentity = Pick<Claims, 'uid' | 'umd'>

/** Who a socket is: everywhere, and on the channels whose own tokens said it. */
export class ChannelIdentities {
  readonly #own: StatedIdentity
  /** Made when a token says something: most sockets have none. */
  #others: Map<string, StatedIdentity> | undefined

  /** @param own who it is where nothing else was said */
  constructor(own: StatedIdentity) {
    this.#own = own
  }

  /** Who it is on a channel; or, without one, everywhere else. */
  on(channel?: string): ChannelIdentity {
    return (channel !== undefined && this.stated(channel)) || known(this.#own)
  }

  /**
   * Who it is on a channel, if a token said it. What the token left out is as everywhere, also after a
   * change; but what is known of one user is not said of another.
   */
  stated(channel: string): ChannelIdentity | undefined {
    const said = this.#others?.get(channel)
    if (!said) return undefined
    const { uid = this.#own.uid, umd } = said
    return known({ uid, umd: umd === undefined && uid === this.#own.uid ? this.#own.umd : umd })
  }

  /**
   * Takes what a token says of a channel, in place of what one before it said.
   * @returns a function that undoes it
   * @throws RpcError `bad_claims` for one channel too many: their names are chosen by the client
   */
  set(channel: string, { uid, umd }: StatedIdentity): () => void {
    if (uid === undefined && umd === undefined) return () => {}
    const limit = CLAIM_LIMITS.channels
    this.#others ??= new Map()
    if (!this.#others.has(channel) && this.#others.size >= limit)
      throw limitError('bad_claims', { field: 'channels', limit })
    const before = this.#others.get(channel)
    const said = { uid, umd }
    this.#others.set(channel, said)
    return () => this.#restore(channel, said, before)
  }

  /** A later token has the last word. */
  #restore(channel: string, said: StatedIdentity, before: StatedIdentity | undefined): void {
    if (this.#others?.get(channel) !== said) return
    if (before) this.#others.set(channel, before)
    else this.#others.delete(channel)
  }
}

function known({ uid, umd }: StatedIdentity): ChannelIdentity {
  return { ...(uid !== undefined && { uid }), ...(umd !== undefined && { umd }) }
}
