import { createHmac, timingSafeEqual } from 'node:crypto'
import { encodeData, type Position } from '@token-socket/protocol'
import { isNext, POSITION_TTL } from '../engine/epoch.js'

/** The user and the channel of a proof. */
export interface ProofSubject {
  readonly channel: string
  /** The user's name; `undefined` if nothing is known of the user. */
  readonly user: string | undefined
}

/** Milliseconds for which a proof is valid: as long as engines keep a channel's position. */
const PROOF_TTL = POSITION_TTL

/** Characters of a signature: 128 bits. */
const SIGNATURE = 22

/** Offset, time of issue, signature, epoch. */
const PROOF = new RegExp(`^([0-9a-z]{1,11})\\.([0-9a-z]{1,9})\\.([\\w-]{${SIGNATURE}})\\.(.{1,64})$`, 'su')

/**
 * Proofs that the server gave a user a position on a channel. A client that may not read all of the
 * channel's history returns the proof with its position. Then it may read what came after that
 * position. Proofs are signed, so that nothing is stored for them, and every node with the same
 * keys can verify them.
 */
export class PositionProofs {
  readonly #secrets: readonly Buffer[]

  /** @param secrets the first one signs, all verify */
  constructor(secrets: readonly Buffer[]) {
    this.#secrets = secrets
  }

  /** Returns a proof of a position, valid for 24 hours. */
  issue(subject: ProofSubject, { epoch, offset }: Position): string {
    const parts = [offset.toString(36), Date.now().toString(36)] as const
    const [secret = Buffer.alloc(0)] = this.#secrets
    return `${parts.join('.')}.${sign(secret, subject, [...parts, epoch])}.${epoch}`
  }

  /** Returns whether a proof is valid for this position, or for an earlier one. */
  verify(subject: ProofSubject, proof: string, at: Position): boolean {
    const [, offset = '', time = '', signature = '', epoch = ''] = PROOF.exec(proof) ?? []
    if (signature === '' || Number.parseInt(time, 36) + PROOF_TTL < Date.now()) return false
    const isOurs = this.#secrets.some((secret) =>
      timingSafeEqual(Buffer.from(sign(secret, subject, [offset, time, epoch])), Buffer.from(signature)),
    )
    const start = Number.parseInt(offset, 36)
    // Nothing was kept when the proof was issued: the first publication began the epoch.
    const isSame = epoch === at.epoch || (start === 0 && isNext(epoch, at.epoch))
    return isOurs && isSame && start <= at.offset
  }
}

function sign(secret: Buffer, { channel, user = '' }: ProofSubject, parts: readonly string[]): string {
  const text = encodeData([channel, user, ...parts])
  return createHmac('sha256', secret).update(text).digest('base64url').slice(0, SIGNATURE)
}
