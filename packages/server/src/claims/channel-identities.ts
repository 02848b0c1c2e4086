import { limitError, type Member } from '@token-socket/protocol'
import { CLAIM_LIMITS, type Claims } from './claims.js'

/** The identity of a user in messages, as far as it is known. */
export type ChannelIdentity = Partial<Member>

type StatedIdentity = Pick<Claims, 'uid' | 'umd'>

/** The identity of a socket: everywhere, and on channels whose own tokens state another one. */
export class ChannelIdentities {
  readonly #own: StatedIdentity
  /** Created when a channel's token states an identity; most sockets have none. */
  #others: Map<string, StatedIdentity> | undefined

  /** @param own the identity where no token states another one */
  constructor(own: StatedIdentity) {
    this.#own = own
  }

  /** Returns the identity on a channel; or, without one, everywhere else. */
  on(channel?: string): ChannelIdentity {
    return (channel !== undefined && this.stated(channel)) || identityOf(this.#own)
  }

  /**
   * Returns the identity on a channel, if a token states it. What the token left out is taken from
   * the sign-in, also after a change. Data of one user is never combined with another's id.
   */
  stated(channel: string): ChannelIdentity | undefined {
    const said = this.#others?.get(channel)
    if (!said) return undefined
    const { uid = this.#own.uid, umd } = said
    return identityOf({ uid, umd: umd === undefined && uid === this.#own.uid ? this.#own.umd : umd })
  }

  /**
   * Sets the identity that a token states for a channel, instead of an earlier token's.
   * @returns a function that restores the earlier one
   * @throws RpcError `bad_claims` for one channel too many, because the client chooses the names
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

  /** A later token wins. */
  #restore(channel: string, said: StatedIdentity, before: StatedIdentity | undefined): void {
    if (this.#others?.get(channel) !== said) return
    if (before) this.#others.set(channel, before)
    else this.#others.delete(channel)
  }
}

/** Returns an identity without the fields that are not known. */
export function identityOf({ uid, umd }: StatedIdentity): ChannelIdentity {
  return { ...(uid !== undefined && { uid }), ...(umd !== undefined && { umd }) }
}
