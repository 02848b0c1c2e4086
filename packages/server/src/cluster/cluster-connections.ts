import { checkTimeout, isNever, limitError, RpcError } from '@token-socket/protocol'
import type { Development } from '../development/development.js'
import { InvalidConnectionError } from '../socket/invalid-connection-error.js'
import { END_OPTIONS } from '../socket/method-options.js'
import { checkSendOptions, type SendOptions } from '../socket/send-options.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { ClusterCount } from './cluster-base.js'
import { ClusterOrders, type ClusterOrdersOwner } from './cluster-orders.js'
import type { NodeAnswersOwner } from './node-answers.js'
import { checkText } from './selectors.js'
import { nodeOf } from './sids.js'
import { CALL_LEEWAY, SocketCalls } from './socket-calls.js'

/** Dependencies of {@link ClusterConnections}. */
export interface ClusterConnectionsOwner extends ClusterOrdersOwner {
  readonly hub: { get(sid: string): ServerSocket | undefined }
  readonly limits: ClusterOrdersOwner['limits'] & {
    /** Milliseconds that a message without a timeout may take. */
    readonly callTimeout: number
  }
  /** Checks that only development servers make. @default none */
  readonly development?: Pick<Development, 'checkData'> | undefined
}

/** Messages to connections of other nodes that may wait for their results at once. */
const SENDS = 10_000

/** Ids in one question, at most. */
const IDS = 1000

/** What the application does with connections by their ids, on all nodes. */
export abstract class ClusterConnections extends ClusterOrders {
  /** Calls and questions about single sockets. @internal */
  protected readonly calls: SocketCalls
  readonly #owner: ClusterConnectionsOwner
  readonly #users: NodeAnswersOwner['users']
  #sends = 0

  /** @internal */
  constructor(owner: ClusterConnectionsOwner, answers: NodeAnswersOwner) {
    super(owner, answers)
    this.#owner = owner
    this.#users = answers.users
    this.calls = new SocketCalls({
      node: this.node,
      questions: this.questions,
      answer: (question) => this.answers.answer(question),
      limits: owner.limits,
    })
  }

  /** @internal */
  override close(): void {
    this.calls.close()
    super.close()
  }

  /** See `TokenSocketServer.send`. @internal */
  sendTo(sid: string, data: unknown, options: SendOptions = {}): Promise<boolean> {
    return this.run('sockets.send', async () => {
      checkText('connectionId', sid)
      checkSendOptions(options)
      try {
        if (nodeOf(sid) !== this.node) await this.#sendAway(sid, data, options)
        else await this.#own(sid).send(data, { ...options, throwIfNotConnected: true })
        return true
      } catch (error) {
        if (!RpcError.is(error) || error.code !== 'not_connected') throw error
        if (options.throwIfNotConnected ?? true) throw asInvalid(error)
        return false
      }
    })
  }

  /** See `TokenSocketServer.isConnected`. @internal */
  hasConnection(sid: string): Promise<boolean> {
    return this.run('sockets.isConnected', async () => {
      checkText('connectionId', sid)
      return this.calls.isConnected(sid)
    })
  }

  /** See `TokenSocketServer.close`. @internal */
  closeAll(
    ids: string | readonly string[],
    options: { readonly reconnect?: boolean | undefined } = {},
  ): Promise<ClusterCount> {
    return this.run('sockets.close', async () => {
      END_OPTIONS.check(options)
      const { reconnect = true } = options
      const groups = byNode(typeof ids === 'string' ? [ids] : ids)
      const closed = [...groups].map(([node, sids]) => this.#closeOn(node, sids, reconnect))
      const counts = await Promise.all(closed)
      const missing = counts.flatMap((one) => one.missing)
      return { count: counts.reduce((sum, one) => sum + one.count, 0), missing }
    })
  }

  #own(sid: string): ServerSocket {
    const socket = this.#owner.hub.get(sid)
    if (!socket) throw new InvalidConnectionError()
    return socket
  }

  /**
   * The connection's node applies the time-out. This node waits a little longer, in case that node
   * does not answer.
   */
  async #sendAway(sid: string, data: unknown, options: SendOptions): Promise<void> {
    const { ack = 'written', timeout = this.#owner.limits.callTimeout } = options
    checkTimeout(options, timeout)
    this.#owner.development?.checkData('message', '', data)
    if (this.#sends >= SENDS) throw limitError('too_many_calls', { field: 'sends', limit: SENDS })
    this.#sends += 1
    try {
      const wait = isNever(timeout) ? Number.POSITIVE_INFINITY : timeout + CALL_LEEWAY
      const time = isNever(timeout) ? 0 : timeout
      await this.calls.ask({ type: 'send', sid, data, ack, timeout: time }, wait)
    } finally {
      this.#sends -= 1
    }
  }

  async #closeOn(
    node: string | undefined,
    sids: readonly string[],
    reconnect: boolean,
  ): Promise<ClusterCount> {
    if (node === undefined) return { count: 0, missing: [] }
    if (node === this.node) return { count: await this.#users.endEach(sids, { reconnect }), missing: [] }
    let count = 0
    for (let start = 0; start < sids.length; start += IDS) {
      const part = sids.slice(start, start + IDS)
      const one = await this.questions.one(node, { type: 'closeSockets', sids: part, reconnect })
      if ('answer' in one) count += Number(one.answer)
      // A node that is not reachable has no connections.
      else return { count, missing: one.missing === 'unreached' ? [] : [node] }
    }
    return { count, missing: [] }
  }
}

/** @throws RpcError `bad_message` */
function byNode(ids: readonly string[]): Map<string | undefined, string[]> {
  if (!Array.isArray(ids)) checkText('connectionId', ids)
  const groups = new Map<string | undefined, string[]>()
  for (const id of new Set(ids)) {
    checkText('connectionId', id)
    const node = nodeOf(id)
    const group = groups.get(node)
    if (group) group.push(id)
    else groups.set(node, [id])
  }
  return groups
}

function asInvalid(error: RpcError): InvalidConnectionError {
  return error instanceof InvalidConnectionError ? error : new InvalidConnectionError(error)
}
