/** The test services on a real server, and a client that sends what a test says and nothing else. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { expect } from 'chai'
import WebSocket, { type ClientOptions } from 'ws'
import { type RawExchange, TestServer } from '../server/http-server.js'
import { RecordedLog } from '../server/recorded-log.js'
import { Peer } from '../server/transports/carrier.js'
import { mountServices, ownServices, type ServicesSettings, services } from './services.js'
import { Streamed } from './streamed.js'

/** What a second receiver of a session gets. */
export const STILL_OPEN = 'c[2010,"Another connection still open"]\n'

type Headers = Readonly<Record<string, string>>

/** A whole response. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A request with everything that one may have. */
interface Ask {
  readonly method: string
  /** Goes out as it is: `fetch` would tidy it up. */
  readonly path: string
  readonly body?: string
  readonly headers?: Headers
}

/** A poll that the server holds until it has something to say. */
export interface HeldPoll {
  readonly answer: Promise<Answer>
  /** Breaks off, as a network error does. */
  abort(): void
}

export class TestBed {
  readonly log = new RecordedLog()
  readonly #server: TestServer
  readonly #unmount: () => void

  private constructor(server: TestServer, settings: Omit<ServicesSettings, 'logger'>) {
    this.#server = server
    const all = { ...services, ...ownServices }
    this.#unmount = mountServices(server.http, { logger: this.log, ...settings }, all)
  }

  /** @param settings who may use the services: all, as the protocol has it, unless something else is said */
  static async start(settings: Omit<ServicesSettings, 'logger'> = {}): Promise<TestBed> {
    return new TestBed(await TestServer.start(), settings)
  }

  /** What a client of the same origin calls its origin. */
  get origin(): string {
    return this.#server.origin
  }

  get(path: string, headers?: Headers): Promise<Answer> {
    return this.ask({ method: 'GET', path, ...(headers && { headers }) })
  }

  post(path: string, body = '', headers: Headers = {}): Promise<Answer> {
    return this.ask({ method: 'POST', path, body, headers })
  }

  options(path: string, headers: Headers = {}): Promise<Answer> {
    return this.ask({ method: 'OPTIONS', path, headers })
  }

  ask(ask: Ask): Promise<Answer> {
    return answerTo(this.#send(ask))
  }

  /** A response that goes on: its head is there, and its body is read as it comes. */
  stream(method: string, path: string, headers: Headers = {}): Promise<Streamed> {
    return responseTo(this.#send({ method, path, headers }))
  }

  /** A poll that has come to the server: of two, one is told that there is another. */
  async hold(session: string): Promise<HeldPoll> {
    const polls = [0, 1].map(() => {
      const sent = this.#send({ method: 'POST', path: `${session}/xhr` })
      return { answer: answerTo(sent), abort: () => void sent.destroy() }
    })
    const refused = await Promise.race(polls.map((poll) => poll.answer.then(() => poll)))
    expect((await refused.answer).body).to.equal(STILL_OPEN)
    const held = polls.find((poll) => poll !== refused) as HeldPoll
    // Whoever breaks it off does not wait for it.
    held.answer.catch(() => {})
    return held
  }

  /** A path of a new session. */
  session(service = '/echo'): string {
    return `${service}/000/${randomUUID()}`
  }

  /** Opens a session with a poll. */
  async open(service = '/echo'): Promise<string> {
    const session = this.session(service)
    expect((await this.post(`${session}/xhr`)).body).to.equal('o\n')
    return session
  }

  /** Sends messages to a session. @param messages as JSON */
  async say(session: string, messages: string): Promise<void> {
    const { status, body } = await this.post(`${session}/xhr_send`, messages)
    expect([status, body]).to.deep.equal([204, ''])
  }

  /** A WebSocket to a path, open or not. */
  connect(path: string, options: ClientOptions = {}): Peer {
    return new Peer(new WebSocket(`ws://${this.#server.host}${path}`, options))
  }

  /** Sends bytes as they are. @param lines the request's head */
  raw(...lines: readonly string[]): Promise<RawExchange> {
    return this.rawAt('localhost', ...lines)
  }

  /** As {@link raw}, to a host: what the client takes for the server's name. */
  rawAt(host: string, ...lines: readonly string[]): Promise<RawExchange> {
    return this.#server.raw([...lines, `Host: ${host}`, '', ''].join('\r\n'))
  }

  async stop(): Promise<void> {
    this.#unmount()
    await this.#server.stop()
  }

  #send({ body, ...ask }: Ask): ClientRequest {
    const sent = request({ host: '127.0.0.1', port: this.#server.port, agent: false, ...ask })
    sent.end(body)
    return sent
  }
}

async function responseTo(sent: ClientRequest): Promise<Streamed> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return new Streamed(response)
}

async function answerTo(sent: ClientRequest): Promise<Answer> {
  const response = await responseTo(sent)
  const { status, headers } = response
  return { status, headers, body: await response.rest() }
}
