import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CLOSE_TIMEOUT } from '@token-socket/protocol'
import { processWide } from '../runtime/process-wide.js'
import { isTls } from './forwarded.js'

/** Answers the requests of one path prefix. */
export interface Interceptor {
  /** Whether this interceptor handles a request. @param path the URL's path */
  matches(path: string): boolean
  request(request: IncomingMessage, response: ServerResponse): void
  /** Without it, upgrades are passed on. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /**
   * Receives an error of {@link request} or {@link upgrade}. The request is answered 500. @default
   * dropped
   */
  failed?(cause: unknown): void
  /**
   * Called when a WebSocket upgrade was refused because no interceptor and no listener handles it.
   * @default nothing
   */
  unwanted?(request: IncomingMessage): void
}

/**
 * The interceptions of HTTP servers, one for each. One without interceptors stays here if it cannot
 * be removed.
 */
const interceptions = processWide<Server, Interception>('interceptions 1')

/**
 * Handles one prefix's requests and upgrades of an HTTP server before its listeners. Everything
 * else reaches all listeners as before, earlier and later ones: the application, and other
 * WebSocket servers.
 *
 * It wraps `emit`, since a listener cannot keep an event from the others: `ws`, for one, refuses
 * upgrades of unknown paths, and Express would answer 404. It is wrapped once, for any number of
 * interceptors.
 * @returns a function that removes the interceptor
 */
export function intercept(server: Server, interceptor: Interceptor): () => void {
  const known = interceptions.get(server)
  const interception = known?.isInstalled ? known : new Interception(server)
  interceptions.set(server, interception)
  interception.add(interceptor)
  return () => interception.delete(interceptor)
}

/** Asks whether an interception is still part of `emit`. */
const PROBE = Symbol('token-socket probe')

class Interception {
  readonly #server: Server
  /** The `emit` that the server had of its own, if it differed from its class's. */
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

  /** Other code may have restored an older `emit`. */
  get isInstalled(): boolean {
    const answer = { by: new Set<Interception>() }
    ;(this.#server.emit as (...args: unknown[]) => boolean)(PROBE as never, answer)
    return answer.by.has(this)
  }

  add(interceptor: Interceptor): void {
    this.#interceptors.add(interceptor)
    this.#listen()
  }

  /**
   * If another wrapper was put around this one, this one stays, passes everything on, and is used
   * again.
   */
  delete(interceptor: Interceptor): void {
    if (!this.#interceptors.delete(interceptor)) return
    this.#listen()
    if (this.#interceptors.size > 0 || this.#server.emit !== this.#wrapped) return
    if (this.#emit) Object.defineProperty(this.#server, 'emit', this.#emit)
    else Reflect.deleteProperty(this.#server, 'emit')
    interceptions.delete(this.#server)
  }

  /** Tells the interceptors about a refused upgrade. */
  unwanted(request: IncomingMessage): void {
    for (const interceptor of this.#interceptors) interceptor.unwanted?.(request)
  }

  /** Without a listener for upgrades, Node handles them as plain requests. */
  #listen(): void {
    this.#server.removeListener('upgrade', refuseUnwanted)
    const takesUpgrades = [...this.#interceptors].some(({ upgrade }) => upgrade !== undefined)
    if (takesUpgrades) this.#server.on('upgrade', refuseUnwanted)
  }

  /** @returns whether an interceptor handled it */
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

/** An error here would end the process: no caller catches it. */
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

/**
 * Ends a request whose answer failed: with 500, or by closing the connection if the answer has
 * begun.
 */
export function failRequest(response: ServerResponse): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(500, { 'Content-Type': 'text/plain; charset=UTF-8', Connection: 'close' })
  response.end('Internal error\n')
}

/** Ends an upgrade that failed: with 500, unless bytes were written already. */
export function failUpgrade(socket: Duplex): void {
  const isUntouched = socket.writable && (socket as Partial<Socket>).bytesWritten === 0
  if (isUntouched) refuseUpgrade(socket, '500 Internal Server Error')
  else socket.destroy()
}

/** Returns the path of a request's URL, without its query. */
export function pathOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split(/[?#]/, 1)
  return path
}

/** Refuses an upgrade that no interceptor handles. */
export function refuseUpgrade(socket: Duplex, status = '404 Not Found', ...headers: readonly string[]): void {
  socket.on('error', () => {})
  // Unread data keeps the socket open, and closing with unread data could discard the answer.
  socket.resume()
  socket.once('finish', () => setTimeout(() => socket.destroy(), CLOSE_TIMEOUT).unref())
  const lines = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Length: 0', ...headers]
  socket.end(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Upgrades without an interceptor and without another listener would wait for ever. */
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
 * Lets the server read a request again without its `Upgrade`. Clients that offer another protocol,
 * such as HTTP/2 (Java's offers it with every request), then get a plain answer, as they do without
 * a listener for upgrades.
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
