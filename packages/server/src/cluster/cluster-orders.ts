import { randomUUID } from 'node:crypto'
import { decodeData, encodeData, limitError, RpcError, sendable } from '@token-socket/protocol'
import type { AuthorizationLog } from '../authentication/authorization-log.js'
import type { AuthorizationOrder, OrderTarget } from '../authentication/authorization-order.js'
import type { Revocations } from '../authentication/revocations.js'
import { claimsOf } from '../claims/auth-claims.js'
import { readClaims } from '../claims/claims.js'
import { sessionSubject, uidSubject } from '../claims/subjects.js'
import { attempt } from '../runtime/attempt.js'
import {
  type AuthorizationSelector,
  type RevocationSelector,
  readRevoked,
  readTarget,
} from './authorization-targets.js'
import { ClusterBase, type ClusterBaseOwner, type ClusterCount } from './cluster-base.js'
import type { NodeAnswersOwner } from './node-answers.js'
import { anotherUser } from './node-orders.js'
import { type Answers, isRefusal } from './questions.js'
import { nodeOf } from './sids.js'

/** Dependencies of {@link ClusterOrders}. */
export interface ClusterOrdersOwner extends ClusterBaseOwner {
  readonly authorizations: Pick<AuthorizationLog, 'give' | 'take'>
  readonly revocations: Pick<Revocations, 'add'>
  readonly limits: {
    /** Milliseconds that a node may take, whose listeners are asked. */
    readonly callTimeout: number
    /** Bytes of what `reauthorize` gives, as JSON. */
    readonly authData: number
  }
}

/**
 * What changes authorisations on all nodes. Each order is done by this node at once and kept by the
 * engine, so that a node that is away does it first of all when it is back. While the engine is
 * away
 * each method rejects with `engine_unavailable`: this node's sockets are dealt with then, and the
 * other nodes learn the order as soon as the engine is back.
 */
export abstract class ClusterOrders extends ClusterBase {
  readonly #owner: ClusterOrdersOwner
  /** The moment of the last order that gave an authorisation. */
  #given = 0

  /** @internal */
  constructor(owner: ClusterOrdersOwner, answers: NodeAnswersOwner) {
    super(owner, answers)
    this.#owner = owner
  }

  /**
   * Gives sockets another authorisation, on whichever nodes, and what tokens of before open. What
   * it no longer allows ends at once; the rest goes on. When it ends stays as it is.
   * @param auth what `authentication` could have returned: an object, whose `uid`, `umd` and
   *   `channels` are claims
   * @returns how many sockets have it; resolves when no delivery by an older one can follow
   * @throws RpcError `identity_changed` if it is for another user; `bad_claims`, `bad_message`,
   *   `too_large`, `unserializable`,
   *   `too_many_revocations`, `engine_unavailable`
   * @example
   * await sockets.cluster.reauthorize({ uid: 'ann' }, { uid: 'ann', role: 'editor' })
   */
  reauthorize(who: AuthorizationSelector, auth: object): Promise<ClusterCount> {
    return this.run('reauthorize', async () => {
      const target = readTarget(who)
      this.#checkAuth(target, auth)
      return this.#give({ type: 'reauthorize', who: target, auth })
    })
  }

  /**
   * Ends the authorisation of sockets, and asks their clients for a new token now, on whichever
   * nodes. A client that has sent none within 30 s is closed as `expired`; one that cannot send one
   * is closed at once, and comes back with one. Tokens of before open a socket that has ended.
   * @returns how many were asked, or closed
   * @throws RpcError `bad_message`, `too_large`, `too_many_revocations`, `engine_unavailable`
   * @example
   * await sockets.cluster.refresh({ uid: 'ann' })
   */
  refresh(who: AuthorizationSelector): Promise<ClusterCount> {
    return this.run('refresh', async () => this.#give({ type: 'refresh', who: readTarget(who) }))
  }

  /**
   * Closes sockets, on whichever nodes, and refuses tokens that are still out, for `revocationTtl`.
   * Their clients come back, and get in only by a token of after it.
   * @returns how many sockets were closed; resolves when no message can follow on any of them, and
   *   none that they published, unless the engine takes more than 4 s to accept it
   * @throws RpcError `bad_message`, `too_large`, `too_many_revocations`, `engine_unavailable`
   * @example
   * await sockets.cluster.revoke({ uid: 'ann' })
   */
  revoke(who: RevocationSelector): Promise<ClusterCount> {
    return this.run('revoke', async () => this.#give({ type: 'revoke', who: readRevoked(who) }))
  }

  async #give(given: Pick<AuthorizationOrder, 'type' | 'who' | 'auth'>): Promise<ClusterCount> {
    const { authorizations } = this.#owner
    // As JSON carries it: this node's sockets get what those of the others get.
    const at = this.#momentOf(given)
    const made = decodeData(encodeData({ id: randomUUID(), ...given, at })) as AuthorizationOrder
    const { order, applied, kept } = authorizations.give(made)
    const [own, others, ...failures] = await Promise.allSettled([
      applied,
      this.#askOthers(order),
      kept,
      this.#takeTickets(order),
    ])
    // That the engine is away says more than what came of asking without it.
    for (const failure of [...failures.slice(0, 1), own, others, ...failures])
      if (failure?.status === 'rejected' && !isIdentity(failure.reason)) throw failure.reason
    const answers = others.status === 'fulfilled' ? others.value : { answers: [], missing: [] }
    return totalApplied(own.status === 'fulfilled' ? own.value : REFUSED, answers)
  }

  /**
   * Of two orders that give an authorisation the later one holds: also in one millisecond, and after
   * the clock was put back.
   */
  #momentOf({ type }: Pick<AuthorizationOrder, 'type'>): number {
    if (type !== 'reauthorize') return Date.now()
    this.#given = Math.max(Date.now(), this.#given + 1)
    return this.#given
  }

  async #askOthers(order: AuthorizationOrder): Promise<Answers> {
    const question = { type: 'authorize', order } as const
    const timeout = order.type === 'reauthorize' ? this.#owner.limits.callTimeout : undefined
    if (!('sid' in order.who)) return this.questions.others(question, timeout)
    const node = nodeOf(order.who.sid)
    if (node === undefined || node === this.node) return { answers: [], missing: [] }
    const one = await this.questions.one(node, question, timeout)
    if ('answer' in one) return { answers: [one.answer], missing: [] }
    // Where the node of one socket is gone, so is the socket.
    return { answers: [], missing: one.missing === 'unreached' ? [] : [node] }
  }

  /** Tickets are taken back by the engine's own clock. */
  async #takeTickets({ type, who }: AuthorizationOrder): Promise<void> {
    if (type !== 'revoke') return
    const { revocations } = this.#owner
    if ('uid' in who) await attempt(() => revocations.add(uidSubject(who.uid), { signed: false }))
    if ('session' in who) await attempt(() => revocations.add(sessionSubject(who.session), { signed: false }))
  }

  #checkAuth(target: OrderTarget, auth: unknown): void {
    if (typeof auth !== 'object' || auth === null)
      throw new RpcError('bad_message', 'Invalid message: auth has to be an object', { field: 'auth' })
    sendable(auth)
    const json = encodeData(auth)
    const limit = this.#owner.limits.authData
    if (Buffer.byteLength(json) > limit) throw limitError('too_large', { field: 'auth', limit })
    // Who is named by a uid has claims.
    const claims = 'uid' in target ? readClaims(auth) : claimsOf(auth)
    if ('uid' in target && claims?.uid !== target.uid) throw anotherUser()
  }
}

/** Of a node all of whose sockets belong to another user. */
const REFUSED = { refused: 'identity_changed' }

function isIdentity(error: unknown): boolean {
  return RpcError.is(error) && error.code === 'identity_changed'
}

/** @throws RpcError `identity_changed` if that is all that came of it */
function totalApplied(own: unknown, { answers, missing }: Answers): ClusterCount {
  const all = [own, ...answers]
  const counts = all.filter((answer) => typeof answer === 'number')
  const count = counts.reduce((sum, one) => sum + one, 0)
  if (count === 0 && all.some(isRefusal)) throw anotherUser()
  return { count, missing }
}
