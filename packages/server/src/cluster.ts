import {
  type CallOptions,
  createTimeouts,
  decodeData,
  decodeError,
  encodeData,
  encodeError,
  markHandled,
  PendingCalls,
  RpcError,
  refusal,
  type WireError,
} from '@token-socket/protocol'
import { isTarget, type JoiningSockets, type SocketTarget } from './authentication/joining-sockets.js'
import type { Revocations } from './authentication/revocations.js'
import { hashSession, sessionSubject, uidSubject } from './claims/subjects.js'
import type { Nodes } from './engine.js'
import type { RemoteClient } from './remote-client.js'
import { refuseCallback } from './socket/rpc-callback.js'

/** Which sockets are meant: one, all of a user, or all that one session signed in (`req.sessionID`). */
export type SocketSelector =
  | { readonly sid: string }
  | { readonly uid: string }
  | { readonly session: string }

/** What was found over all nodes. */
export interface ClusterCount {
  readonly count: number
  /** The ids of the nodes that did not answer: what they have is not counted. */
  readonly missing: readonly string[]
}

/** What a {@link Cluster} needs of its server. */
export interface ClusterOwner {
  readonly nodes: Nodes
  /** This node's sockets. */
  readonly hub: {
    readonly sockets: readonly RemoteClient[]
    get(sid: string): RemoteClient | undefined
    on(channel: string): readonly RemoteClient[]
  }
  /** The connections that are not let in yet. */
  readonly joining: Pick<JoiningSockets, 'end'>
  readonly revocations: Pick<Revocations, 'add'>
  /** Milliseconds that a call may take which names no time-out. */
  readonly callTimeout: number
}

/** What nodes ask each other. A node that does not know a question does not answer it. */
type Question =
  | { readonly type: 'find'; readonly sid: string }
  | { readonly type: 'count'; readonly channel?: string | undefined }
  | {
      readonly type: 'disconnect'
      readonly who: { readonly sid: string } | { readonly uid: string }
      readonly reconnect: boolean
    }
  | { readonly type: 'disconnectSession'; readonly session: string; readonly reconnect: boolean }
  | CallQuestion
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly sid: string; readonly channel: string }

/** Asks a node to call a function of one of its sockets. */
interface CallQuestion {
  readonly type: 'call'
  readonly sid: string
  readonly name: string
  readonly data: unknown
  readonly timeout: number
}

/** What is said of one socket: what came of it, or that there is no such socket. */
type SocketAnswer = { readonly data: unknown } | WireError | { readonly isMissing: true }

/** How sockets are ended. */
interface EndedSockets {
  readonly reconnect: boolean
  /** Those that were ended already: they stay until their client has answered. */
  readonly ended?: Set<RemoteClient>
}

/** Milliseconds that a node may take to answer what it can answer at once. */
const ANSWER_TIMEOUT = 5000

/** Milliseconds that a node has beyond a call's own time-out to say that it timed out. */
const CALL_LEEWAY = 2000

/** Calls to sockets of other nodes that may wait for their answers. */
const CALLS = 10_000

/** Separates a socket's own id from its node's in its `sid`. */
const SEPARATOR = '.'

/** The id of a socket of a node. @param own its id on the node */
export function sidOf(own: string, node: string): string {
  return own + SEPARATOR + node
}

/**
 * The sockets of all nodes, by their ids. What concerns a socket of this node is done without the engine. No question
 * fails because a node has died: who asks is told which did not answer.
 */
export class Cluster {
  readonly #owner: ClusterOwner
  readonly #calls: PendingCalls

  constructor(owner: ClusterOwner) {
    this.#owner = owner
    this.#calls = new PendingCalls({ timeout: owner.callTimeout, calls: CALLS }, createTimeouts())
    owner.nodes.serve(async (question) => encodeData(await this.#answer(decodeData(question) as Question)))
  }

  /** This node's id. */
  get node(): string {
    return this.#owner.nodes.id
  }

  /** The ids of the nodes that live; one that has died is among them for 15 seconds at most. @throws RpcError `engine_unavailable` */
  nodes(): Promise<readonly string[]> {
    return run(async () => this.#owner.nodes.list())
  }

  /**
   * Whether a socket is connected, on whichever node. A node that does not answer has none.
   * @throws RpcError `engine_unavailable` if it is another node's
   */
  isConnected(sid: string): Promise<boolean> {
    return run(async () => {
      check('sid', sid)
      const answer = await this.#askOwnerOf({ type: 'find', sid }, ANSWER_TIMEOUT)
      return answer !== undefined && 'data' in answer && answer.data === true
    })
  }

  /** How many sockets there are, or how many are on a channel, over all nodes. @throws RpcError `engine_unavailable` */
  count(channel?: string): Promise<ClusterCount> {
    return run(async () => {
      if (channel !== undefined) check('channel', channel)
      return this.#sum({ type: 'count', channel })
    })
  }

  /**
   * Closes a socket, or all sockets of a user or of a session, on whichever nodes; those of this node also while the engine is
   * away. Those that are not let in yet are closed too, and tokens that were asked for before do not let this user in any more.
   * @param options.reconnect `false` tells the clients to stay away, and refuses tokens that the application signed for this
   *   user before, for an hour; otherwise they come back. @default true
   * @returns how many were closed
   * @throws RpcError `engine_unavailable`
   */
  disconnect(
    who: SocketSelector,
    { reconnect = true }: { readonly reconnect?: boolean } = {},
  ): Promise<ClusterCount> {
    return run(async () => {
      const selected = selector(who)
      if ('sid' in selected) return this.#disconnectOne(selected, reconnect)
      return this.#disconnectUser(selected, reconnect)
    })
  }

  /**
   * Calls an action on a client, on whichever node it is.
   * @param name dotted name of the action
   * @returns a promise that settles exactly once: the result, or an RpcError: what {@link RemoteClient.rpc} gives,
   *   `not_connected`, `connection_lost` also if the socket's node dies, `too_large`, `engine_unavailable`
   */
  rpc<Data = unknown>(sid: string, name: string, data?: unknown, options: CallOptions = {}): Promise<Data> {
    return run(async () => {
      check('sid', sid)
      check('name', name)
      refuseCallback('cluster.rpc', options)
      if (nodeOf(sid) === this.node) return this.#socket(sid).rpc<Data>(name, data, options)
      return this.#callOther<Data>({ type: 'call', sid, name, data }, options)
    })
  }

  /** Subscribes a socket to a channel, without asking listeners. @throws RpcError as {@link rpc}, and what refuses it */
  subscribe(sid: string, channel: string): Promise<void> {
    return run(async () => {
      check('channel', channel)
      await this.#askSocket({ type: 'subscribe', sid, channel }, this.#owner.callTimeout)
    })
  }

  /** Unsubscribes a socket from a channel, without asking listeners. @throws RpcError as {@link rpc} */
  unsubscribe(sid: string, channel: string): Promise<void> {
    return run(async () => {
      check('channel', channel)
      await this.#askSocket({ type: 'unsubscribe', sid, channel }, ANSWER_TIMEOUT)
    })
  }

  /** Fails what waits. */
  close(): void {
    this.#calls.rejectAll(new RpcError('shutting_down'))
  }

  /** Calls a socket of another node. */
  async #callOther<Data>(call: Omit<CallQuestion, 'timeout'>, options: CallOptions): Promise<Data> {
    const timeout = options.timeout ?? this.#owner.callTimeout
    const question = { ...call, timeout }
    const { id, answer } = this.#calls.open({ ...options, timeout: 0 })
    const wait = timeout > 0 ? timeout + CALL_LEEWAY : Number.POSITIVE_INFINITY
    this.#askSocket(question, wait).then(
      (result) => this.#calls.resolve(id, result),
      (error) => this.#calls.reject(id, error),
    )
    return answer as Promise<Data>
  }

  async #disconnectOne(who: { readonly sid: string }, reconnect: boolean): Promise<ClusterCount> {
    const node = nodeOf(who.sid)
    if (node === this.node) return { count: this.#end(who, { reconnect }), missing: [] }
    if (node === undefined) return { count: 0, missing: [] }
    return this.#sum({ type: 'disconnect', who, reconnect }, node)
  }

  async #disconnectUser(
    selected: Exclude<SocketSelector, { readonly sid: string }>,
    reconnect: boolean,
  ): Promise<ClusterCount> {
    // Here first: the engine refuses what is asked for after that, wherever it is brought.
    const own = await this.#cut(targetOf(selected), { reconnect, signed: !reconnect })
    const others = await this.#askOthers(
      'uid' in selected
        ? { type: 'disconnect', who: selected, reconnect }
        : { type: 'disconnectSession', session: hashSession(selected.session), reconnect },
    )
    return { ...others, count: own + others.count }
  }

  /**
   * Cuts a user off on this node. What was let in before the engine knew is ended after that; what is on its way to the engine is
   * noted before it.
   */
  async #cut(
    target: { readonly subject: string },
    { reconnect, signed }: { readonly reconnect: boolean; readonly signed: boolean },
  ): Promise<number> {
    const ended = new Set<RemoteClient>()
    const first = this.#end(target, { reconnect, ended })
    await this.#owner.revocations.add(target.subject, { signed })
    return first + this.#end(target, { reconnect, ended })
  }

  async #sum(question: Question, node?: string): Promise<ClusterCount> {
    const own = node === undefined ? Number(await this.#answer(question)) : 0
    const others = await this.#askOthers(question, node)
    return { ...others, count: own + others.count }
  }

  async #askOthers(question: Question, node?: string): Promise<ClusterCount> {
    const asked = this.#owner.nodes.ask(encodeData(question), { timeout: ANSWER_TIMEOUT, node })
    const { answers, missing } = await asked
    // Where the node of one socket is gone, so is the socket.
    if (node !== undefined && missing.get(node) === 'unreached') return { count: 0, missing: [] }
    const counts = [...answers.values()].map((answer) => Number(decodeData(answer)))
    return { count: counts.reduce((sum, count) => sum + count, 0), missing: [...missing.keys()] }
  }

  /** @throws RpcError what the socket's node says, `not_connected`, `connection_lost`, `too_large` */
  async #askSocket(question: Question & { readonly sid: string }, timeout: number): Promise<unknown> {
    check('sid', question.sid)
    const answer = await this.#askOwnerOf(question, timeout)
    if (!answer) throw new RpcError('connection_lost', 'The node of the socket did not answer')
    if ('isMissing' in answer) throw new RpcError('not_connected')
    if ('error' in answer) throw decodeError(answer)
    return answer.data
  }

  /** Asks the node of a socket. @returns `undefined` if it did not answer */
  async #askOwnerOf(
    question: Question & { readonly sid: string },
    timeout: number,
  ): Promise<SocketAnswer | undefined> {
    const node = nodeOf(question.sid)
    if (node === undefined) return { isMissing: true }
    if (node === this.node) return (await this.#answer(question)) as SocketAnswer
    const text = encodeData(question)
    const { answers, missing } = await this.#owner.nodes.ask(text, { node, timeout })
    const answer = answers.get(node)
    if (answer !== undefined) return decodeData(answer) as SocketAnswer
    const why = missing.get(node)
    if (why === 'too_large') throw refusal('too_large', { field: 'answer' })
    return why === 'unreached' ? { isMissing: true } : undefined
  }

  #socket(sid: string): RemoteClient {
    const socket = this.#owner.hub.get(sid)
    if (!socket) throw new RpcError('not_connected')
    return socket
  }

  async #answer(question: Question): Promise<SocketAnswer | number> {
    switch (question.type) {
      case 'count':
        return this.#count(question.channel)
      case 'disconnect':
        if ('sid' in question.who) return this.#end(question.who, question)
        return this.#cut(targetOf(question.who), { ...question, signed: false })
      case 'disconnectSession':
        return this.#cut({ subject: sessionSubject(question.session) }, { ...question, signed: false })
      case 'find':
        return { data: this.#owner.hub.get(question.sid) !== undefined }
      case 'call':
        return this.#withSocket(question.sid, (socket) =>
          socket.rpc(question.name, question.data, { timeout: question.timeout }),
        )
      case 'subscribe':
        return this.#withSocket(question.sid, (socket) => socket.subscribe(question.channel))
      case 'unsubscribe':
        return this.#withSocket(question.sid, async (socket) => socket.unsubscribe(question.channel))
      default:
        throw new RpcError('bad_message')
    }
  }

  async #withSocket(sid: string, use: (socket: RemoteClient) => Promise<unknown>): Promise<SocketAnswer> {
    const socket = this.#owner.hub.get(sid)
    if (!socket) return { isMissing: true }
    try {
      return { data: await use(socket) }
    } catch (error) {
      return encodeError(RpcError.is(error) ? error : new RpcError('internal'))
    }
  }

  #count(channel: string | undefined): number {
    const { hub } = this.#owner
    return (channel === undefined ? hub.sockets : hub.on(channel)).length
  }

  /** @returns how many were ended that were not `ended` before, which they are from now on */
  #end(target: SocketTarget, { reconnect, ended = new Set() }: EndedSockets): number {
    const { hub, joining } = this.#owner
    const one = 'sid' in target ? [hub.get(target.sid)] : hub.sockets
    const found = one.filter((socket) => socket !== undefined && isTarget(socket, target))
    const before = ended.size
    for (const socket of found) if (socket && !ended.has(socket)) socket.end({ reconnect })
    for (const socket of found) if (socket) ended.add(socket)
    return ended.size - before + joining.end(target, { reconnect })
  }
}

/** Does what a caller asks, who may leave the promise alone. */
function run<T>(work: () => Promise<T>): Promise<T> {
  return markHandled(work())
}

function nodeOf(sid: string): string | undefined {
  const [, node] = /\.([\w-]{1,64})$/.exec(sid) ?? []
  return node
}

function selector(who: SocketSelector): SocketSelector {
  const fields = ['sid', 'session', 'uid'] as const
  const field = fields.find((name) => typeof who === 'object' && who !== null && name in who) ?? 'uid'
  const value = (who as { readonly [field: string]: unknown } | null)?.[field]
  check(field, value)
  if (field === 'sid') return { sid: value }
  return field === 'session' ? { session: value } : { uid: value }
}

function targetOf(who: Exclude<SocketSelector, { readonly sid: string }>): { readonly subject: string } {
  return { subject: 'uid' in who ? uidSubject(who.uid) : sessionSubject(hashSession(who.session)) }
}

function check(field: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && value !== '') return
  throw new RpcError('bad_message', `Invalid message: ${field} has to be a string that is not empty`, {
    field,
  })
}
