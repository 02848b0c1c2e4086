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

/** What came of subscribing sockets on all nodes. */
export interface ClusterSubscription extends ClusterCount {
  /** How many could not be subscribed, by a limit for example. */
  readonly failed: number
  /** The codes of the errors that kept them from it, each once. */
  readonly reasons: readonly string[]
}

/** Dependencies of a {@link Cluster}. */
export interface ClusterOwner extends ClusterConnectionsOwner {
  readonly hub: NodeSocketsOwner['hub']
  /** The connections that are not let in yet. */
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
 * The sockets of all nodes, and the nodes' applications. What concerns this node is done without the engine. A node that has
 * died makes no question fail: the caller gets the ids of those that did not answer. A wrong selector is refused before
 * anything is done. Each method can be used without the object.
 */
export class Cluster extends ClusterConnections {
  readonly #owner: ClusterOwner
  readonly #users: NodeUsers
  readonly #events: NodeEvents

  constructor(owner: ClusterOwner) {
    const users = new NodeUsers(owner)
    const events = new NodeEvents((...failure) => owner.failed(...failure))
    super(owner, { ...owner, sockets: new NodeSockets(owner), users, events })
    this.#owner = owner
    this.#users = users
    this.#events = events
  }

  /** The ids of the nodes that live; one that has died is among them for 15 seconds at most. @throws RpcError `engine_unavailable` */
  nodes(): Promise<readonly string[]> {
    return this.run('nodes', async () => this.#owner.nodes.list())
  }

  /**
   * Whether a socket, or any of those that are selected, is connected, on whichever node. A node that does not answer has none.
   * @param who the socket's id, or a selector
   * @throws RpcError `engine_unavailable` if another node has to be asked
   */
  isConnected(who: string | SocketSelector): Promise<boolean> {
    return this.run('isConnected', async () => {
      if (typeof who !== 'string') return (await this.#count(readSelector(who))).count > 0
      checkText('sid', who)
      return this.calls.isConnected(who)
    })
  }

  /**
   * How many sockets there are over all nodes: all, those on a channel, or those that are selected.
   * @param who a channel's name, or a selector @default all
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `engine_unavailable`
   */
  count(who?: string | SocketSelector): Promise<ClusterCount> {
    return this.run('count', async () => {
      if (typeof who === 'object') return this.#count(readSelector(who))
      if (who !== undefined) checkName('channel', who)
      return this.#count(who === undefined ? {} : { channel: who })
    })
  }

  /**
   * Who is connected, on all nodes: a page of sockets, in the order of their ids. Sockets that come or go while pages are read
   * may be missed; none is given twice.
   * @param who @default all
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `engine_unavailable`
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

  /** The pages of {@link sockets}, one after the other: `for await (const { sockets, missing } of cluster.socketPages())`. */
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
   * Closes the selected sockets, on whichever nodes; those of this node also while the engine is away. Those that are not let in
   * yet are closed too. With `uid` or `session`, tokens that were asked for before do not let this user in any more.
   * @param options.reconnect `false` tells the clients to stay away, and with `uid` or `session` refuses tokens that the
   *   application signed for this user before, for an hour; otherwise they come back. @default true
   * @returns how many were closed
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `engine_unavailable`
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
      return total(await this.questions.selected(question, this.#owner.callTimeout))
    })
  }

  /**
   * Calls an action on a client, on whichever node it is.
   * @param who the socket's id, or `{ sid }`
   * @param name dotted name of the action
   * @returns a promise that settles exactly once: the result, or an RpcError: what {@link ServerSocket.rpc} gives,
   *   `not_connected`, `connection_lost` also if the socket's node dies, `too_large`, `engine_unavailable`
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
   * Calls an action on a client without an answer, on whichever node: {@link ServerSocket.notify}.
   * @param who the socket's id, or `{ sid }`
   * @returns a promise that resolves when the client's node has sent it; that node reports failures
   * @throws RpcError what {@link ServerSocket.notify} gives, and as {@link rpc} `not_connected`,
   *   `connection_lost`, `too_large`, `engine_unavailable`
   */
  notify(who: string | { readonly sid: string }, name: string, data?: unknown): Promise<void> {
    return this.run('notify', async () => {
      const sid = this.checked('notify', () => calledSid(who, name, {}))
      // The socket reports mistakes itself.
      if (nodeOf(sid) === this.node) return this.#socket(sid, name).notify(name, data)
      this.#owner.development?.checkData('notification', name, data)
      const ask = async () => void (await this.calls.ask({ type: 'notify', sid, name, data }, ANSWER_TIMEOUT))
      return promised('cluster.notify', ask, this.#owner.failed)
    })
  }

  /**
   * Subscribes sockets to a channel, without asking listeners; resolves when publications reach them. With a selector, sockets
   * that are signing in are subscribed once they are let in, and not counted. One socket that fails keeps no other from it.
   * @returns with a selector, how many are on the channel, those that were on it before included
   * @throws RpcError with a socket's id, as {@link rpc}, and what refuses it; with a selector, `bad_message`, `too_long`,
   *   `too_large`, `engine_unavailable`
   */
  subscribe(sid: string, channel: string): Promise<void>
  subscribe(who: SocketSelector, channel: string): Promise<ClusterSubscription>
  subscribe(who: string | SocketSelector, channel: string): Promise<unknown> {
    return this.run('subscribe', async () => {
      const { callTimeout } = this.#owner
      if (typeof who !== 'object') return this.#askOne({ type: 'subscribe', sid: who, channel }, callTimeout)
      checkName('channel', channel)
      const question = { type: 'subscribeSockets', who: readSelector(who), channel } as const
      return totalSubscribed(await this.questions.selected(question, callTimeout))
    })
  }

  /**
   * Unsubscribes sockets from a channel, without asking listeners. It wins over subscriptions that are under way. With a
   * selector, sockets that are signing in lose the channel when they are let in, and are not counted.
   * @returns with a selector, how many had the channel, or were about to
   * @throws RpcError as {@link subscribe}
   */
  unsubscribe(sid: string, channel: string): Promise<void>
  unsubscribe(who: SocketSelector, channel: string): Promise<ClusterCount>
  unsubscribe(who: string | SocketSelector, channel: string): Promise<unknown> {
    return this.run('unsubscribe', async () => {
      if (typeof who !== 'object')
        return this.#askOne({ type: 'unsubscribe', sid: who, channel }, ANSWER_TIMEOUT)
      checkName('channel', channel)
      const question = { type: 'unsubscribeSockets', who: readSelector(who), channel } as const
      return total(await this.questions.selected(question, this.#owner.callTimeout))
    })
  }

  /**
   * Gives an event to the applications of all other nodes: their listeners of {@link on} are called, each once, this node's are not.
   * Nothing is kept for nodes that are away, and there is no order between two events.
   * @param data anything that JSON can carry, 1000 KiB of it
   * @returns how many nodes have got it
   * @throws RpcError `bad_message`, `too_long`, `too_large`, `unserializable`, `engine_unavailable`
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
   * Listens to an event that other nodes' applications {@link emit}. What a listener throws comes out as the server's `error` event.
   * @returns a function that removes the listener
   * @throws RpcError `bad_message`, `too_long`
   */
  on(event: string, listener: NodeEventListener): () => void {
    return noted('cluster.on', () => this.#events.on(event, listener))
  }

  /** What the server of a cluster gives libraries. @internal */
  static ownerOf(
    cluster: Cluster,
  ): Pick<ClusterOwner, 'callTimeout' | 'channels' | 'failed' | 'hub' | 'tickets'> {
    return cluster.#owner
  }

  /** What nodes of every version know is asked in their words. */
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

  /** This node comes first: the engine refuses what is asked for after that, wherever it is brought. */
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

  /** A socket of this node. @param name of the function that is called @throws RpcError `not_connected`, as another node says */
  #socket(sid: string, name: string): ServerSocket {
    const socket = this.#owner.hub.get(sid)
    if (!socket) throw callFailure(new RpcError('not_connected'), name)
    return socket
  }
}

const PAGE_OPTIONS = new MethodOptions({ limit: 'checked', after: 'checked' })

/** The id of the socket that is called. @throws RpcError `bad_message`, `too_long`, `bad_option` */
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
