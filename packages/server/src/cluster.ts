import { type CallOptions, callFailure, RpcError } from '@token-socket/protocol'
import type { BulkOutcome } from './channels/bulk-subscriptions.js'
import { checkName } from './claims/channel-name.js'
import { sessionSubject, uidSubject } from './claims/subjects.js'
import { type ClusterCount, total } from './cluster/cluster-base.js'
import { ClusterConnections, type ClusterConnectionsOwner } from './cluster/cluster-connections.js'
import { checkNodeEvent, type NodeEventListener, NodeEvents } from './cluster/node-events.js'
import { NodeSockets, type NodeSocketsOwner } from './cluster/node-sockets.js'
import { ANSWER_TIMEOUT, type Answers, type UserQuestion } from './cluster/questions.js'
import { checkText, readSelector, type Selection, type SocketSelector } from './cluster/selectors.js'
import { nodeOf } from './cluster/sids.js'
import {
  mergePages,
  type NodePage,
  readRange,
  type SocketPage,
  type SocketPageOptions,
} from './cluster/socket-pages.js'
import { NodeUsers, type NodeUsersOwner } from './cluster/users.js'
import type { Development } from './development/development.js'
import type { Tickets } from './engine/engine.js'
import { MethodOptions } from './options/method-options.js'
import { noted, promised } from './runtime/own-calls.js'
import { CALL_OPTIONS, END_OPTIONS } from './socket/method-options.js'
import { refuseCallback } from './socket/rpc-callback.js'
import type { ServerSocket } from './socket/server-socket.js'

export type { ClusterCount } from './cluster/cluster-base.js'
export { sidOf } from './cluster/sids.js'

/** The result of subscribing sockets on all nodes. */
export interface ClusterSubscription extends ClusterCount {
  /** How many could not be subscribed, for example because of a limit. */
  readonly failed: number
  /** The codes of their errors, each once. */
  readonly reasons: readonly string[]
}

/** Dependencies of a {@link Cluster}. */
export interface ClusterOwner extends ClusterConnectionsOwner {
  readonly hub: NodeSocketsOwner['hub']
  /** The connections that are not authenticated yet. */
  readonly joining: NodeSocketsOwner['joining'] & NodeUsersOwner['joining']
  readonly channels: NodeSocketsOwner['channels'] & {
    /** Warns developers of channels that lack presence. */
    checkPresence(pattern: string, channels: readonly string[]): void
  }
  /** Records ids over all nodes. */
  readonly tickets: Pick<Tickets, 'revoke' | 'revoked'>
  /** Checks that only development servers make. @default none */
  readonly development?: Pick<Development, 'checkData'> | undefined
}

/**
 * The sockets of all nodes, and events between the nodes' applications. What concerns this node
 * works without the engine. A dead node makes no question fail: the result has the ids of the nodes
 * that did not answer. A wrong selector is refused before anything is done. Each method can be used
 * without the object.
 */
export class Cluster extends ClusterConnections {
  readonly #owner: ClusterOwner
  readonly #users: NodeUsers
  readonly #events: NodeEvents

  /** @internal */
  constructor(owner: ClusterOwner) {
    const users = new NodeUsers(owner)
    const events = new NodeEvents((...failure) => owner.failed(...failure))
    super(owner, { ...owner, sockets: new NodeSockets(owner), users, events })
    this.#owner = owner
    this.#users = users
    this.#events = events
  }

  /**
   * Returns the ids of the living nodes. A node that died is listed for at most 15 seconds more.
   * @throws RpcError `engine_unavailable`
   * @example
   * console.log(await sockets.cluster.nodes())
   */
  nodes(): Promise<readonly string[]> {
    return this.run('nodes', async () => this.#owner.nodes.list())
  }

  /**
   * Returns whether a socket, or any selected socket, is connected on any node. A node that does
   * not answer counts as having none.
   * @param who the socket's id, or a selector
   * @throws RpcError `engine_unavailable` if another node has to be asked
   * @example
   * if (await sockets.cluster.isConnected({ uid: 'ann' })) console.log('Ann is online')
   */
  isConnected(who: string | SocketSelector): Promise<boolean> {
    return this.run('isConnected', async () => {
      if (typeof who !== 'string') return (await this.#count(readSelector(who))).count > 0
      checkText('sid', who)
      return this.calls.isConnected(who)
    })
  }

  /**
   * Counts sockets over all nodes: all, those on a channel, or those that a selector means.
   * @param who a channel's name, or a selector. @default all
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `engine_unavailable`
   * @example
   * const { count } = await sockets.cluster.count({ channel: 'news' })
   */
  count(who?: string | SocketSelector): Promise<ClusterCount> {
    return this.run('count', async () => {
      if (typeof who === 'object') return this.#count(readSelector(who))
      if (who !== undefined) checkName('channel', who)
      return this.#count(who === undefined ? {} : { channel: who })
    })
  }

  /**
   * Lists sockets of all nodes: one page, in the order of their ids. Sockets that connect or
   * disconnect while pages are read may be missed. No socket is listed twice.
   * @param who @default all
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `engine_unavailable`
   * @example
   * const { sockets: page, next } = await sockets.cluster.sockets({ uid: 'ann' }, { limit: 10 })
   */
  sockets(who: SocketSelector = { where: 'all' }, options: SocketPageOptions = {}): Promise<SocketPage> {
    return this.run('sockets', async () => {
      PAGE_OPTIONS.check(options)
      const range = readRange(options)
      const question = { type: 'listSockets', who: readSelector(who), ...range } as const
      const { answers, missing } = await this.questions.selected(question)
      return { ...mergePages(answers as NodePage[], range), missing }
    })
  }

  /**
   * Iterates over the pages of {@link sockets}: `for await (const { sockets, missing } of
   * cluster.socketPages())`.
   * @example
   * for await (const { sockets: page } of sockets.cluster.socketPages()) console.log(page.length)
   */
  async *socketPages(
    who: SocketSelector = { where: 'all' },
    options: SocketPageOptions = {},
  ): AsyncGenerator<SocketPage, void, undefined> {
    let page = await this.sockets(who, options)
    yield page
    while (page.next !== undefined) {
      page = await this.sockets(who, { ...options, after: page.next })
      yield page
    }
  }

  /**
   * Closes the selected sockets on all nodes, also those that are signing in. This node's sockets
   * are closed also while the engine is away. With `uid` or `session`, tokens that were requested
   * before do not authenticate this user any longer.
   * @param options.reconnect `false` tells the clients not to reconnect. With `uid` or `session` it
   *   also refuses, for an hour, tokens that the application signed for this user before. @default
   *   true
   * @returns how many were closed
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `engine_unavailable`
   * @example
   * await sockets.cluster.disconnect({ uid: 'ann' }, { reconnect: false })
   */
  disconnect(
    who: SocketSelector,
    options: { readonly reconnect?: boolean | undefined } = {},
  ): Promise<ClusterCount> {
    return this.run('disconnect', async () => {
      END_OPTIONS.check(options)
      const { reconnect = true } = options
      const selection = readSelector(who)
      if ('sid' in who) return this.#disconnectOne(who.sid, reconnect)
      if ('uid' in who)
        return this.#disconnectUser(uidSubject(who.uid), {
          type: 'disconnect',
          who: { uid: who.uid },
          reconnect,
        })
      if ('session' in who) {
        const session = String(selection.session)
        const question = { type: 'disconnectSession', session, reconnect } as const
        return this.#disconnectUser(sessionSubject(session), question)
      }
      const question = { type: 'disconnectSockets', who: selection, reconnect } as const
      return total(await this.questions.selected(question, this.#owner.limits.callTimeout))
    })
  }

  /**
   * Calls an action of a client on any node.
   * @param who the socket's id, or `{ sid }`
   * @param name dotted name of the action
   * @returns a promise that settles exactly once: with the result, or with an RpcError of {@link
   *   ServerSocket.rpc}, or `not_connected`, `too_large`, `engine_unavailable`. It is
   *   `connection_lost` also if the socket's node dies.
   * @example
   * const answer = await sockets.cluster.rpc<boolean>(socket.sid, 'confirm', 'Delete it?')
   */
  rpc<Data = unknown>(
    who: string | { readonly sid: string },
    name: string,
    data?: unknown,
    options: CallOptions = {},
  ): Promise<Data> {
    return this.run('rpc', async () => {
      const sid = this.checked('rpc', () => calledSid(who, name, options))
      if (nodeOf(sid) === this.node) return this.#socket(sid, name).rpc<Data>(name, data, options)
      this.#owner.development?.checkData('call', name, data)
      return this.calls.call<Data>({ sid, name, data }, options)
    })
  }

  /**
   * Calls an action of a client on any node without an answer, as {@link ServerSocket.notify} does.
   * @param who the socket's id, or `{ sid }`
   * @returns a promise that resolves when the client's node has sent it. That node reports
   *   failures.
   * @throws RpcError those of {@link ServerSocket.notify}; `not_connected`, `connection_lost`,
   *   `too_large`, `engine_unavailable`
   * @example
   * await sockets.cluster.notify(socket.sid, 'toast.show', { text: 'Paid' })
   */
  notify(who: string | { readonly sid: string }, name: string, data?: unknown): Promise<void> {
    return this.run('notify', async () => {
      const sid = this.checked('notify', () => calledSid(who, name, {}))
      // The socket itself reports misuse.
      if (nodeOf(sid) === this.node) return this.#socket(sid, name).notify(name, data)
      this.#owner.development?.checkData('notification', name, data)
      const ask = async () => void (await this.calls.ask({ type: 'notify', sid, name, data }, ANSWER_TIMEOUT))
      return promised('cluster.notify', ask, this.#owner.failed)
    })
  }

  /**
   * Subscribes a socket to a channel, without asking listeners. Resolves when publications reach
   * it.
   * @throws RpcError those of {@link rpc}, and what refuses the subscription
   * @example
   * await sockets.cluster.subscribe(socket.sid, 'news')
   */
  subscribe(sid: string, channel: string): Promise<void>
  /**
   * Subscribes all selected sockets to a channel. Sockets that are signing in are subscribed when
   * they are authenticated, and are not counted. A failure of one socket does not affect the others.
   * @returns how many are on the channel, including those that were on it before
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `engine_unavailable`
   * @example
   * const { count, failed } = await sockets.cluster.subscribe({ uid: 'ann' }, 'news')
   */
  subscribe(who: SocketSelector, channel: string): Promise<ClusterSubscription>
  subscribe(who: string | SocketSelector, channel: string): Promise<unknown> {
    return this.run('subscribe', async () => {
      const { callTimeout } = this.#owner.limits
      if (typeof who !== 'object') return this.#askOne({ type: 'subscribe', sid: who, channel }, callTimeout)
      checkName('channel', channel)
      const question = { type: 'subscribeSockets', who: readSelector(who), channel } as const
      return totalSubscribed(await this.questions.selected(question, callTimeout))
    })
  }

  /**
   * Unsubscribes a socket from a channel, without asking listeners. It cancels a subscription that
   * is under way.
   * @throws RpcError those of {@link rpc}
   * @example
   * await sockets.cluster.unsubscribe(socket.sid, 'news')
   */
  unsubscribe(sid: string, channel: string): Promise<void>
  /**
   * Unsubscribes all selected sockets from a channel, likewise. Sockets that are signing in lose the
   * channel when they are authenticated, and are not counted.
   * @returns how many had the channel, or were about to
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `engine_unavailable`
   * @example
   * const { count } = await sockets.cluster.unsubscribe({ uid: 'ann' }, 'news')
   */
  unsubscribe(who: SocketSelector, channel: string): Promise<ClusterCount>
  unsubscribe(who: string | SocketSelector, channel: string): Promise<unknown> {
    return this.run('unsubscribe', async () => {
      if (typeof who !== 'object')
        return this.#askOne({ type: 'unsubscribe', sid: who, channel }, ANSWER_TIMEOUT)
      checkName('channel', channel)
      const question = { type: 'unsubscribeSockets', who: readSelector(who), channel } as const
      return total(await this.questions.selected(question, this.#owner.limits.callTimeout))
    })
  }

  /**
   * Sends an event to the applications of all other nodes. Their listeners of {@link on} are called
   * once each; this node's are not. Nothing is kept for nodes that are away. Two events have no
   * order.
   * @param data anything that JSON can carry, up to 1000 KiB
   * @returns how many nodes have received it
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `unserializable`, `engine_unavailable`
   * @example
   * await sockets.cluster.emit('prices changed', { id: 7 })
   */
  emit(event: string, data?: unknown): Promise<ClusterCount> {
    return this.run('emit', async () => {
      checkNodeEvent(event, data)
      this.#owner.development?.checkData('event', event, data)
      const { answers, missing } = await this.questions.others({
        type: 'emit',
        event,
        data,
        node: this.node,
      })
      return { count: answers.length, missing }
    })
  }

  /**
   * Listens to an event that other nodes' applications {@link emit}. What a listener throws becomes
   * the server's `error` event.
   * @returns a function that removes the listener
   * @throws RpcError `bad_message`, `too_long`
   * @example
   * const off = sockets.cluster.on('prices changed', (data, { node }) => console.log(node, data))
   */
  on(event: string, listener: NodeEventListener): () => void {
    return noted('cluster.on', () => this.#events.on(event, listener))
  }

  /** Returns the parts of a cluster's server that libraries use. @internal */
  static ownerOf(cluster: Cluster): Pick<ClusterOwner, 'channels' | 'failed' | 'hub' | 'limits' | 'tickets'> {
    return cluster.#owner
  }

  /** Nodes of every version know the older question. */
  async #count(who: Selection): Promise<ClusterCount> {
    const [first, ...others] = Object.keys(who)
    const isPlain = others.length === 0 && (first === undefined || first === 'channel')
    return total(
      isPlain
        ? await this.questions.all({ type: 'count', channel: who.channel })
        : await this.questions.selected({ type: 'countSockets', who }),
    )
  }

  async #disconnectOne(sid: string, reconnect: boolean): Promise<ClusterCount> {
    const node = nodeOf(sid)
    if (node === this.node) return { count: this.#users.end({ sid }, { reconnect }), missing: [] }
    if (node === undefined) return { count: 0, missing: [] }
    const one = await this.questions.one(node, { type: 'disconnect', who: { sid }, reconnect })
    if ('answer' in one) return { count: Number(one.answer), missing: [] }
    return { count: 0, missing: one.missing === 'unreached' ? [] : [node] }
  }

  /** This node goes first: from then on the engine refuses tickets that were requested before. */
  async #disconnectUser(subject: string, question: UserQuestion): Promise<ClusterCount> {
    const { reconnect } = question
    const own = await this.#users.cut({ subject }, { reconnect, signed: !reconnect })
    const { answers, missing } = await this.questions.others(question)
    return total({ answers: [own, ...answers], missing })
  }

  async #askOne(
    question: { readonly type: 'subscribe' | 'unsubscribe'; readonly sid: string; readonly channel: string },
    timeout: number,
  ): Promise<undefined> {
    checkName('channel', question.channel)
    checkText('sid', question.sid)
    await this.calls.ask(question, timeout)
  }

  /**
   * Returns a socket of this node.
   * @param name of the function that is called
   * @throws RpcError `not_connected`, as another node would
   */
  #socket(sid: string, name: string): ServerSocket {
    const socket = this.#owner.hub.get(sid)
    if (!socket) throw callFailure(new RpcError('not_connected'), name)
    return socket
  }
}

const PAGE_OPTIONS = new MethodOptions({ limit: 'checked', after: 'checked' })

/**
 * Returns the id of the socket that is called.
 * @throws RpcError `bad_message`, `too_long`, `bad_option`
 */
function calledSid(who: string | { readonly sid: string }, name: string, options: CallOptions): string {
  const sid = typeof who === 'object' ? readSelector(who).sid : who
  checkText('sid', sid)
  checkName('name', name)
  refuseCallback('cluster.rpc', options)
  CALL_OPTIONS.check(options)
  return sid
}

function totalSubscribed({ answers, missing }: Answers): ClusterSubscription {
  const outcomes = answers as BulkOutcome[]
  const sum = (field: 'count' | 'failed') => outcomes.reduce((before, outcome) => before + outcome[field], 0)
  const reasons = [...new Set(outcomes.flatMap((outcome) => outcome.reasons))]
  return { count: sum('count'), failed: sum('failed'), reasons, missing }
}
