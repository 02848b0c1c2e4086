import { encodeError, RpcError } from '@token-socket/protocol'
import { type AuthorizationOrder, readOrder } from '../authentication/authorization-order.js'
import { sessionSubject, uidSubject } from '../claims/subjects.js'
import { CancellableCalls } from '../runtime/cancellable-calls.js'
import { codeOf } from '../runtime/thrown-values.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { NodeEvents } from './node-events.js'
import type { NodeSockets } from './node-sockets.js'
import type {
  CallQuestion,
  OrderRefusal,
  Question,
  SelectionQuestion,
  SocketAnswer,
  SocketQuestion,
} from './questions.js'
import { PageCollector } from './socket-pages.js'
import type { NodeUsers } from './users.js'

/** Dependencies of {@link NodeAnswers}. */
export interface NodeAnswersOwner {
  readonly hub: {
    readonly sockets: readonly ServerSocket[]
    get(sid: string): ServerSocket | undefined
    on(channel: string): readonly ServerSocket[]
  }
  readonly sockets: NodeSockets
  readonly users: NodeUsers
  readonly events: NodeEvents
  /** Applies orders to this node's sockets, each once. */
  readonly authorizations: { take(order: AuthorizationOrder): Promise<number> }
}

/** Answers the questions of other nodes. */
export class NodeAnswers {
  readonly #owner: NodeAnswersOwner
  /** The calls that other nodes requested. */
  readonly #calls = new CancellableCalls()

  constructor(owner: NodeAnswersOwner) {
    this.#owner = owner
  }

  /** @throws RpcError `bad_message` for a question of another version */
  async answer(question: Question): Promise<unknown> {
    const { hub, users, events } = this.#owner
    switch (question.type) {
      case 'count':
        return (question.channel === undefined ? hub.sockets : hub.on(question.channel)).length
      case 'disconnect': {
        const { who, reconnect } = question
        if ('sid' in who) return users.end(who, { reconnect })
        return users.cut({ subject: uidSubject(who.uid) }, { reconnect, signed: false })
      }
      case 'disconnectSession': {
        const { session, reconnect } = question
        return users.cut({ subject: sessionSubject(session) }, { reconnect, signed: false })
      }
      case 'authorize':
        return this.#take(question.order)
      case 'closeSockets':
        return users.endEach(question.sids, { reconnect: question.reconnect })
      case 'cancel':
        this.#calls.cancel(question.id)
        return true
      case 'emit':
        events.receive(question.event, question.data, { node: question.node })
        return true
      case 'find':
      case 'send':
      case 'call':
      case 'subscribe':
      case 'unsubscribe':
      case 'notify':
        return this.#answerOne(question)
      default:
        return this.#answerSelected(question)
    }
  }

  async #take(given: unknown): Promise<number | OrderRefusal> {
    const order = readOrder(given)
    if (!order) throw new RpcError('bad_message')
    try {
      return await this.#owner.authorizations.take(order)
    } catch (error) {
      return { refused: codeOf(error) }
    }
  }

  async #answerSelected(question: SelectionQuestion): Promise<unknown> {
    const { sockets } = this.#owner
    switch (question.type) {
      case 'countSockets':
        return sockets.count(question.who)
      case 'listSockets': {
        const collector = new PageCollector(question)
        await sockets.each(question.who, (socket) => collector.add(socket))
        return collector.page()
      }
      case 'disconnectSockets':
        return sockets.end(question.who, { reconnect: question.reconnect })
      case 'subscribeSockets':
        return sockets.subscribe(question.who, question.channel)
      case 'unsubscribeSockets':
        return sockets.unsubscribe(question.who, question.channel)
      default:
        question satisfies never
        throw new RpcError('bad_message')
    }
  }

  #call(socket: ServerSocket, { id, name, data, timeout }: CallQuestion): Promise<unknown> {
    return this.#calls.run(id, (signal) => socket.rpc(name, data, { timeout, signal }))
  }

  async #answerOne(question: SocketQuestion): Promise<SocketAnswer> {
    const socket = this.#owner.hub.get(question.sid)
    if (question.type === 'find') return { data: socket !== undefined }
    if (!socket) return { isMissing: true }
    try {
      return { data: await (question.type === 'call' ? this.#call(socket, question) : ask(socket, question)) }
    } catch (error) {
      return encodeError(RpcError.is(error) ? error : new RpcError('internal'))
    }
  }
}

async function ask(
  socket: ServerSocket,
  question: Extract<SocketQuestion, { type: 'subscribe' | 'unsubscribe' | 'notify' | 'send' }>,
): Promise<unknown> {
  switch (question.type) {
    case 'subscribe':
      return socket.subscribe(question.channel)
    case 'unsubscribe':
      return socket.unsubscribe(question.channel)
    case 'send':
      return socket.send(question.data, { ack: question.ack, timeout: question.timeout })
    case 'notify':
      return socket.notify(question.name, question.data)
    default:
      return question satisfies never
  }
}
