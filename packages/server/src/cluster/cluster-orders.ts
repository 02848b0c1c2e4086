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
    /** Milliseconds that a node may take to answer when its listeners are asked. */
    readonly callTimeout: number
    /** Bytes of the `auth` of `reauthorize`, as JSON. */
    readonly authData: number
  }
}

/**
 * Changes authorisations on all nodes. This node carries out each order at once. The engine keeps
 * it: a node that was away carries it out before anything else. While the engine is away, each
 * method rejects with `engine_unavailable`. This node's sockets are then changed already, and other
 * nodes get the order as soon as the engine is back.
 */
export abstract class ClusterOrders extends ClusterBase {
  readonly #owner: ClusterOrdersOwner
  /** The time of the last order that replaced an authorisation. */
  #given = 0

  /** @internal */
  constructor(owner: ClusterOrdersOwner, answers: NodeAnswersOwner) {
    super(owner, answers)
    this.#owner = owner
  }

  /**
   * Replaces the authorisation of sockets on all nodes, and that of their tokens issued before.
   * What is no longer allowed ends at once; everything else continues. Its end time does not
   * change.
   * @param auth what `authentication` could have returned: an object, whose `uid`, `umd` and
   *   `channels` are claims
   * @returns how many sockets have it; resolves when no delivery by an older authorisation can
   *   follow
   * @throws RpcError `identity_changed` if it belongs to another user; `bad_claims`, `bad_message`,
   *   `too_large`, `unserializable`, `too_many_revocations`, `engine_unavailable`
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
   * Ends the authorisation of sockets on all nodes, and asks their clients for a new token now. A
   * client that sends none within 30 s is closed as `expired`. A client that cannot send one is
   * closed at once, and reconnects with a new token. Tokens issued before open sockets whose
   * authorisation has ended already.
   * @returns how many were asked, or closed
   * @throws RpcError `bad_message`, `too_large`, `too_many_revocations`, `engine_unavailable`
   * @example
   * await sockets.cluster.refresh({ uid: 'ann' })
   */
  refresh(who: AuthorizationSelector): Promise<ClusterCount> {
    return this.run('refresh', async () => this.#give({ type: 'refresh', who: readTarget(who) }))
  }

  /**
   * Closes sockets on all nodes, and refuses the tokens issued so far, for `revocationTtl`. Their
   * clients reconnect, and need a token that is issued later.
   * @returns how many sockets were closed. Resolves when no message of them can follow, nor one
   *   that they published, unless the engine takes more than 4 s to accept it
   * @throws RpcError `bad_message`, `too_large`, `too_many_revocations`, `engine_unavailable`
   * @example
   * await sockets.cluster.revoke({ uid: 'ann' })
   */
  revoke(who: RevocationSelector): Promise<ClusterCount> {
    return this.run('revoke', async () => this.#give({ type: 'revoke', who: readRevoked(who) }))
  }

  async #give(given: Pick<AuthorizationOrder, 'type' | 'who' | 'auth'>): Promise<ClusterCount> {
    const { authorizations } = this.#owner
    // Encoded and decoded, so that this node's sockets get the same as those of other nodes.
    const at = this.#momentOf(given)
    const made = decodeData(encodeData({ id: randomUUID(), ...given, at })) as AuthorizationOrder
    const { order, applied, kept } = authorizations.give(made)
    const [own, others, ...failures] = await Promise.allSettled([
      applied,
      this.#askOthers(order),
      kept,
      this.#takeTickets(order),
    ])
    // The unavailable engine explains more than the failures of the questions that follow from it.
    for (const failure of [...failures.slice(0, 1), own, others, ...failures])
      if (failure?.status === 'rejected' && !isIdentity(failure.reason)) throw failure.reason
    const answers = others.status === 'fulfilled' ? others.value : { answers: [], missing: [] }
    return totalApplied(own.status === 'fulfilled' ? own.value : REFUSED, answers)
  }

  /**
   * Returns the order's time. Of two orders that replace an authorisation the later one wins, also
   * within one millisecond and after the clock was set back.
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
    // A socket of a node that is not reachable does not exist any longer.
    return { answers: [], missing: one.missing === 'unreached' ? [] : [node] }
  }

  /** Takes tickets back by the engine's own clock. */
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
    // A user that is selected by a uid has claims.
    const claims = 'uid' in target ? readClaims(auth) : claimsOf(auth)
    if ('uid' in target && claims?.uid !== target.uid) throw anotherUser()
  }
}

/** The answer of a node whose selected sockets all belong to another user. */
const REFUSED = { refused: 'identity_changed' }

function isIdentity(error: unknown): boolean {
  return RpcError.is(error) && error.code === 'identity_changed'
}

/**
 * Returns the sum of the counts.
 * @throws RpcError `identity_changed` if there is no count but a refusal
 */
function totalApplied(own: unknown, { answers, missing }: Answers): ClusterCount {
  const all = [own, ...answers]
  const counts = all.filter((answer) => typeof answer === 'number')
  const count = counts.reduce((sum, one) => sum + one, 0)
  if (count === 0 && all.some(isRefusal)) throw anotherUser()
  return { count, missing }
}
