import { type JoiningSockets, type SocketTarget, targetMatcher } from '../authentication/joining-sockets.js'
import type { Revocations } from '../authentication/revocations.js'
import { inShares } from '../runtime/shares.js'
import type { ServerSocket } from '../socket/server-socket.js'

/** Dependencies of {@link NodeUsers}. */
export interface NodeUsersOwner {
  /** This node's sockets. */
  readonly hub: { readonly sockets: readonly ServerSocket[]; get(sid: string): ServerSocket | undefined }
  /** The connections that are not let in yet. */
  readonly joining: Pick<JoiningSockets, 'end'>
  readonly revocations: Pick<Revocations, 'add'>
}

/** How sockets are ended. */
interface EndedSockets {
  readonly reconnect: boolean
  /** Those that were ended already: they stay until their client has answered. */
  readonly ended?: Set<ServerSocket>
}

/** Ends what a user has on this node: sockets, sign-ins, and tokens. */
export class NodeUsers {
  readonly #owner: NodeUsersOwner

  constructor(owner: NodeUsersOwner) {
    this.#owner = owner
  }

  /**
   * Cuts a user off on this node. What was let in before the engine knew is ended after that; what is on its way to the engine is
   * noted before it.
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

  /** Ends sockets by their ids, a share of them in each turn. @returns how many there were */
  async endEach(sids: readonly string[], options: { readonly reconnect: boolean }): Promise<number> {
    let count = 0
    await inShares(sids, (sid) => {
      count += this.end({ sid }, options)
    })
    return count
  }

  /** @returns how many were ended that were not `ended` before, which they are from now on */
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
