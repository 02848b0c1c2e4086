/** A server that speaks the wire and does what a test tells it: a token route and a plain WebSocket. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type AuthMessage,
  type ClientMessage,
  decodeClientMessage,
  encodeError,
  encodeServerMessage,
  PROTOCOL_VERSION,
  RpcError,
  type ServerMessage,
  type SessionInfo,
} from '@token-socket/protocol'
import { type WebSocket, WebSocketServer } from 'ws'

/** The server's end of one connection. */
export class Peer {
  /** Each frame as it came. */
  readonly frames: string[] = []
  /** Each message, decoded. */
  readonly received: ClientMessage[] = []
  /** How the connection was closed, by whichever side. */
  closed: { readonly code: number; readonly reason: string } | undefined

  constructor(
    readonly socket: WebSocket,
    readonly request: IncomingMessage,
    onmessage: (message: ClientMessage, peer: Peer) => void,
  ) {
    socket.on('message', (data) => {
      this.frames.push(String(data))
      for (const line of String(data).split('\n')) {
        const message = decodeClientMessage(line)
        this.received.push(message)
        onmessage(message, this)
      }
    })
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) }
    })
  }

  /** Sends messages in one frame. */
  send(...messages: readonly ServerMessage[]): void {
    this.socket.send(messages.map(encodeServerMessage).join('\n'))
  }

  /** The messages of one type that came. */
  of<Type extends ClientMessage['type']>(type: Type): Extract<ClientMessage, { type: Type }>[] {
    return this.received.filter((message) => message.type === type) as Extract<
      ClientMessage,
      { type: Type }
    >[]
  }
}

/** What the server does with a message; `true` if that is all it should do. */
type Script = (message: ClientMessage, peer: Peer) => unknown

export class ScriptedServer {
  readonly tokenRequests: IncomingMessage[] = []
  readonly peers: Peer[] = []
  /** Answers token requests; by default each gets a token. */
  ontoken = (_request: IncomingMessage, response: ServerResponse): void => this.giveToken(response)
  /** Comes before the server's own answers. */
  onmessage: Script = () => {}
  /** Whether WebSocket upgrades are refused. */
  refusesUpgrades = false
  /** Whether it behaves like the legacy server: GET only, no session, answers to refusals and calls only. */
  isOld = false
  /** What the answer to the token says besides. */
  session: Partial<SessionInfo> = {}
  readonly #http: Server
  readonly #webSockets = new WebSocketServer({ noServer: true })
  #tokens = 0

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer()
    await server.listen(0)
    return server
  }

  private constructor() {
    this.#http = createServer((request, response) => this.#respond(request, response))
    this.#http.on('upgrade', (request, socket, head) => {
      if (this.refusesUpgrades) {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
        return
      }
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.peers.push(new Peer(webSocket, request, (message, peer) => this.#receive(message, peer)))
      })
    })
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  /** The newest connection. */
  get peer(): Peer {
    const peer = this.peers.at(-1)
    if (!peer) throw new Error('nobody has connected')
    return peer
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => {
      this.#http.listen(port, '127.0.0.1', resolve)
    })
  }

  /** Cuts every connection, without a close frame. */
  cut(): void {
    for (const { socket } of this.peers) socket.terminate()
  }

  async stop(): Promise<void> {
    this.cut()
    this.#http.closeAllConnections()
    await new Promise((resolve) => {
      this.#http.close(resolve)
    })
  }

  giveToken(response: ServerResponse): void {
    this.#tokens += 1
    response.setHeader('Content-Type', 'application/json')
    response.end(`{"token":"token-${this.#tokens}"}`)
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    this.tokenRequests.push(request)
    if (this.isOld && request.method !== 'GET') {
      response.statusCode = 404
      response.end('<h1>Not found</h1>')
    } else {
      this.ontoken(request, response)
    }
  }

  #receive(message: ClientMessage, peer: Peer): void {
    if (this.onmessage(message, peer) === true) return
    if (message.type === 'auth') peer.send(this.#socketAuthenticator(message))
    else if (this.isOld) this.#answerAsOld(message, peer)
    else this.#answer(message, peer)
  }

  #socketAuthenticator({ id }: AuthMessage): ServerMessage {
    const answer = { type: 'answer', rpc: 'auth', id, outcome: { data: 'success' } } as const
    if (this.isOld) return answer
    return {
      ...answer,
      session: { version: PROTOCOL_VERSION, sid: `sid-${this.peers.length}`, ...this.session },
    }
  }

  #answer(message: ClientMessage, peer: Peer): void {
    if (message.type === 'auth' || message.type === 'result' || message.type === 'cancel') return
    const { id } = message
    if (id === undefined) return
    if (message.type === 'subscribe' || message.type === 'unsubscribe') {
      peer.send({ type: `${message.type}d`, channel: message.channel } as ServerMessage)
    }
    const rpc = message.type === 'call' ? message.name : `_${message.type}`
    if (message.type !== 'call') peer.send({ type: 'answer', rpc, id, outcome: { data: 'success' } })
    else if (message.name === 'echo') peer.send({ type: 'answer', rpc, id, outcome: { data: message.data } })
    else if (message.name !== 'hang') peer.send(refusal(message, new RpcError('not_found')))
  }

  #answerAsOld(message: ClientMessage, peer: Peer): void {
    if (message.type === 'call' || message.type === 'ping') this.#answer(message, peer)
    else if (message.type === 'subscribe') peer.send({ type: 'subscribed', channel: message.channel })
    else if (message.type === 'unsubscribe') peer.send({ type: 'unsubscribed', channel: message.channel })
  }
}

/** The answer that refuses a request. */
export function refusal(message: ClientMessage, error: RpcError): ServerMessage {
  const rpc = message.type === 'call' ? message.name : message.type === 'auth' ? 'auth' : `_${message.type}`
  return { type: 'answer', rpc, id: message.id ?? '', outcome: encodeError(error) }
}
