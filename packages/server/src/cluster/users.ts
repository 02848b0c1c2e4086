import { type JoiningSockets, type SocketTarget, targetMatcher } from '../authentication/joining-sockets.js'
import type { Revocations } from '../authentication/revocations.js'
import { inShares } from '../runtime/shares.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** Dependencies of {@link NodeUsers}. */
export interface NodeUsersOwner {
  /** This node's sockets. */
  readonly hub: { readonly sockets: readonly ServerSocket[]; get(sid: string): ServerSocket | undefined }
  /** The connections that are not authenticated yet. */
  readonly joining: Pick<JoiningSockets, 'end'>
  readonly revocations: Pick<Revocations, 'add'>
}

/** Options of {@link NodeUsers.end}. */
interface EndedSockets {
  readonly reconnect: boolean
  /** The sockets that were ended before. They stay connected until their client has answered. */
  readonly ended?: Set<ServerSocket>
}

/** Ends the sockets, sign-ins and tokens of a user on this node. */
export class NodeUsers {
  readonly #owner: NodeUsersOwner

  constructor(owner: NodeUsersOwner) {
    this.#owner = owner
  }

  /**
   * Closes everything of a user on this node. It ends the sockets twice: before the engine records
   * the revocation, and after it, for those that were authenticated meanwhile.
   * @returns how many sockets were ended
   */
  async cut(
    target: { readonly subject: string },
    { reconnect, signed }: { readonly reconnect: boolean; readonly signed: boolean },
  ): Promise<number> {
    const ended = new Set<ServerSocket>()
    const first = this.end(target, { reconnect, ended })
    await this.#owner.revocations.add(target.subject, { signed })
    return first + this.end(target, { reconnect, ended })
  }

  /** Ends sockets by their ids, a share of them in each turn. @returns how many were ended */
  async endEach(sids: readonly string[], options: { readonly reconnect: boolean }): Promise<number> {
    let count = 0
    await inShares(sids, (sid) => {
      count += this.end({ sid }, options)
    })
    return count
  }

  /**
   * Ends the sockets of a target, and adds them to `ended`. @returns how many were not in `ended`
   * before
   */
  end(target: SocketTarget, { reconnect, ended = new Set() }: EndedSockets): number {
    const { hub, joining } = this.#owner
    const one = 'sid' in target ? hub.get(target.sid) : undefined
    const sockets = 'sid' in target ? (one ? [one] : []) : hub.sockets
    const found = sockets.filter(targetMatcher(target)).filter((socket) => !ended.has(socket))
    const before = ended.size
    for (const socket of found) socket.end({ reconnect })
    for (const socket of found) ended.add(socket)
    return ended.size - before + joining.end(target, { reconnect })
  }
}
