/**
 * The names of the option `transports`: SockJS's names, and its iframe page. `websocket` is plain
 * WebSocket and SockJS's own; `raw` is WebSocket for clients without the library.
 */
export const TRANSPORT_NAMES = [
  'websocket',
  'xhr-streaming',
  'xhr-polling',
  'eventsource',
  'jsonp-polling',
  'htmlfile',
  'iframe',
  'raw',
] as const

/** A transport, by SockJS's name, or SockJS's iframe page. */
export type TransportName = (typeof TRANSPORT_NAMES)[number]

/** The default of the option: the transports that current browsers use. */
export const DEFAULT_TRANSPORTS: readonly TransportName[] = [
  'websocket',
  'xhr-streaming',
  'xhr-polling',
  'eventsource',
]

/** The transports that use a path of a session, by its last part. */
const SERVED: Readonly<Record<string, readonly TransportName[]>> = {
  websocket: ['websocket'],
  xhr: ['xhr-polling'],
  xhr_streaming: ['xhr-streaming'],
  eventsource: ['eventsource'],
  htmlfile: ['htmlfile'],
  jsonp: ['jsonp-polling'],
  xhr_send: ['xhr-polling', 'xhr-streaming', 'eventsource', 'htmlfile'],
  jsonp_send: ['jsonp-polling'],
}

/** The enabled transports. */
export class TransportSet {
  readonly #names: ReadonlySet<TransportName>
  readonly #parts: ReadonlySet<string>

  constructor(names: readonly TransportName[]) {
    this.#names = new Set(names)
    const isServed = ([, served]: readonly [string, readonly TransportName[]]) =>
      served.some((name) => this.#names.has(name))
    this.#parts = new Set(
      Object.entries(SERVED)
        .filter(isServed)
        .map(([part]) => part),
    )
  }

  /** Returns whether a transport is enabled. */
  has(name: TransportName): boolean {
    return this.#names.has(name)
  }

  /**
   * Returns whether an enabled transport uses a path of a session. @param part its last part, such
   * as `xhr_send`
   */
  uses(part: string): boolean {
    return this.#parts.has(part)
  }
}
