import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CLOSE_TIMEOUT } from '@token-socket/protocol'
import { processWide } from '../runtime/process-wide.js'
import { isTls } from './forwarded.js'

/** Answers the requests of one path prefix. */
export interface Interceptor {
  /** Whether a request is for this interceptor. @param path the URL's path */
  matches(path: string): boolean
  request(request: IncomingMessage, response: ServerResponse): void
  /** Left out, upgrades go on to the others. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Receives what {@link request} or {@link upgrade} throws; the request is answered 500. @default dropped */
  failed?(cause: unknown): void
  /** An upgrade to a WebSocket was refused that neither an interceptor nor another listener took. @default nothing */
  unwanted?(request: IncomingMessage): void
}

/** What was put into HTTP servers, one for each, also when it has no interceptor any more but cannot be taken out. */
const interceptions = processWide<Server, Interception>('interceptions 1')

/**
 * Takes one prefix's requests and upgrades out of an HTTP server before any of its listeners sees them. Everything else
 * goes on as it was, for all listeners, earlier and later ones: the application, and other WebSocket servers.
 *
 * `emit` is wrapped, since listeners cannot keep an event from one another: `ws`, for one, refuses upgrades of paths
 * that it does not know, and Express would answer 404. It is wrapped once, however many interceptors come and go.
 * @returns a function that undoes it
 */
export function intercept(server: Server, interceptor: Interceptor): () => void {
  const known = interceptions.get(server)
  const interception = known?.isInstalled ? known : new Interception(server)
  interceptions.set(server, interception)
  interception.add(interceptor)
  return () => interception.delete(interceptor)
}

/** Asks whether an interception is still a part of `emit`. */
const PROBE = Symbol('token-socket probe')

class Interception {
  readonly #server: Server
  /** What the server had of its own, if it did not have its class's. */
  readonly #emit: PropertyDescriptor | undefined
  readonly #wrapped: Server['emit']
  readonly #interceptors = new Set<Interceptor>()

  constructor(server: Server) {
    this.#server = server
    this.#emit = Object.getOwnPropertyDescriptor(server, 'emit')
    const take = (event: unknown, args: unknown[]) => this.#take(event, args)
    const { emit } = server
    this.#wrapped = function (this: Server, event: string, ...args: unknown[]): boolean {
      return take(event, args) || Reflect.apply(emit, server, [event, ...args])
    } as Server['emit']
    server.emit = this.#wrapped
  }

  /** Other code may have put an older `emit` back. */
  get isInstalled(): boolean {
    const answer = { by: new Set<Interception>() }
    ;(this.#server.emit as (...args: unknown[]) => boolean)(PROBE as never, answer)
    return answer.by.has(this)
  }

  add(interceptor: Interceptor): void {
    this.#interceptors.add(interceptor)
    this.#listen()
  }

  /** Where another wrapper was put around this one, this one stays, lets everything through, and is used again. */
  delete(interceptor: Interceptor): void {
    if (!this.#interceptors.delete(interceptor)) return
    this.#listen()
    if (this.#interceptors.size > 0 || this.#server.emit !== this.#wrapped) return
    if (this.#emit) Object.defineProperty(this.#server, 'emit', this.#emit)
    else Reflect.deleteProperty(this.#server, 'emit')
    interceptions.delete(this.#server)
  }

  /** Tells the interceptors of an upgrade that was refused. */
  unwanted(request: IncomingMessage): void {
    for (const interceptor of this.#interceptors) interceptor.unwanted?.(request)
  }

  /** Without a listener for upgrades, Node passes them on as plain requests. */
  #listen(): void {
    this.#server.removeListener('upgrade', refuseUnwanted)
    const takesUpgrades = [...this.#interceptors].some(({ upgrade }) => upgrade !== undefined)
    if (takesUpgrades) this.#server.on('upgrade', refuseUnwanted)
  }

  /** @returns whether an interceptor took it */
  #take(event: unknown, args: unknown[]): boolean {
    if (event === (PROBE as unknown)) {
      ;(args[0] as { by: Set<Interception> }).by.add(this)
      return false
    }
    if (event !== 'request' && event !== 'upgrade') return false
    const path = pathOf(args[0] as IncomingMessage)
    for (const interceptor of this.#interceptors) {
      const takes = event === 'request' || interceptor.upgrade !== undefined
      if (!takes || !interceptor.matches(path)) continue
      pass(interceptor, event, args)
      return true
    }
    return false
  }
}

/** What throws here would end the process: there is no caller to catch it. */
function pass(interceptor: Interceptor, event: 'request' | 'upgrade', args: unknown[]): void {
  const request = args[0] as IncomingMessage
  try {
    if (event === 'request') interceptor.request(request, args[1] as ServerResponse)
    else interceptor.upgrade?.(request, args[1] as Duplex, args[2] as Buffer)
  } catch (cause) {
    interceptor.failed?.(cause)
    if (event === 'request') failRequest(args[1] as ServerResponse)
    else failUpgrade(args[1] as Duplex)
  }
}

/** Ends a request whose answer failed: with 500, or by cutting off what has begun. */
export function failRequest(response: ServerResponse): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(500, { 'Content-Type': 'text/plain; charset=UTF-8', Connection: 'close' })
  response.end('Internal error\n')
}

/** Ends an upgrade that failed: with 500, unless something has been written already. */
export function failUpgrade(socket: Duplex): void {
  const isUntouched = socket.writable && (socket as Partial<Socket>).bytesWritten === 0
  if (isUntouched) refuseUpgrade(socket, '500 Internal Server Error')
  else socket.destroy()
}

/** The path of a request's URL, without its query. */
export function pathOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split(/[?#]/, 1)
  return path
}

/** Ends an upgrade that no interceptor wants. */
export function refuseUpgrade(socket: Duplex, status = '404 Not Found', ...headers: readonly string[]): void {
  socket.on('error', () => {})
  // What is not read keeps the socket open, and closing with it unread would take the answer back.
  socket.resume()
  socket.once('finish', () => setTimeout(() => socket.destroy(), CLOSE_TIMEOUT).unref())
  const lines = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Length: 0', ...headers]
  socket.end(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Upgrades that no interceptor took, where no other listener is, would wait for ever. */
function refuseUnwanted(this: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const isWanted = this.listeners('upgrade').some((listener) => listener !== refuseUnwanted)
  if (isWanted || socket.writableEnded) return
  if (request.headers.upgrade?.toLowerCase() === 'websocket') {
    interceptions.get(this)?.unwanted(request)
    return refuseUpgrade(socket)
  }
  replay(this, request, [socket, head])
}

/**
 * Has the server read a request again, without its `Upgrade`: clients that would like another protocol, such as HTTP/2
 * (Java's offers it with every request), take a plain answer, which is what they get where there is no listener for upgrades.
 */
function replay(server: Server, request: IncomingMessage, [socket, head]: readonly [Duplex, Buffer]): void {
  const { method, url, httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value] = rawHeaders.slice(index, index + 2)
    if (name.toLowerCase() !== 'upgrade') lines.push(`${name}: ${value}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit(isTls(socket) ? 'secureConnection' : 'connection', socket)
}
