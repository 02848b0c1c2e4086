/** What a page, a worker or React Native has and Node's modules are not part of: scripts run in it as in a page. */
import { createContext, runInContext } from 'node:vm'

/** What the platforms have in common that the client may use. */
const PLATFORM = [
  ...[
    'AbortController',
    'AbortSignal',
    'DOMException',
    'Event',
    'EventTarget',
    'TextEncoder',
    'URL',
    'URLSearchParams',
  ],
  ...['clearInterval', 'clearTimeout', 'console', 'fetch', 'performance', 'queueMicrotask'],
  ...['setInterval', 'setTimeout'],
]

/** A WebSocket, or SockJS, whose server accepts every token and answers each call with what it got. */
export class EchoSocket extends EventTarget {
  readyState = 0
  onopen?: (event: object) => void
  onmessage?: (event: object) => void
  onclose?: (event: object) => void
  onerror?: (event: object) => void

  constructor(readonly url: string) {
    super()
    setImmediate(() => {
      this.readyState = 1
      this.onopen?.({})
    })
  }

  send(text: string): void {
    for (const line of text.split('\n')) {
      const { rpc, uuid, req } = JSON.parse(line)
      const resp = rpc === 'auth' ? 'success' : req
      setImmediate(() => this.onmessage?.({ data: JSON.stringify({ rpc, uuid, resp }) }))
    }
  }

  close(code = 1000, reason = ''): void {
    this.readyState = 3
    setImmediate(() => this.onclose?.({ code, reason, wasClean: true }))
  }
}

/** Calls through a client of the global `TokenSocket`, and says by which transport, or why not. */
const call = (transport: string) => `(async () => {
  const socket = new TokenSocket({ host: 'http://app.test', token: 'a.b.c', transports: ['${transport}'] })
  const failed = new Promise((_, reject) => socket.on('state', (_state, { error }) => error && reject(error)))
  const answer = await Promise.race([socket.rpc('echo', 'hi'), failed]).catch(String)
  const { transport } = socket
  await socket.end()
  return [answer, transport].join(' by ')
})()`

/**
 * Runs a script that leaves `TokenSocket` in a global, in a world without Node’s parts.
 * @param more globals
 * @returns how a call by that transport ends
 */
export function callIn(script: string, transport = 'websocket', more: object = {}): Promise<string> {
  return runInWorld(script, call(transport), more)
}

/** Runs a script there, and then another. @returns what the second gives */
export function runInWorld<Result>(script: string, second: string, more: object = {}): Result {
  const has = Object.fromEntries(PLATFORM.map((name) => [name, Reflect.get(globalThis, name)]))
  const world = createContext({ ...has, WebSocket: EchoSocket, ...more })
  runInContext('globalThis.self = globalThis', world)
  runInContext(script, world)
  return runInContext(second, world)
}
