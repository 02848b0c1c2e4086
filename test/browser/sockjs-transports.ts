/** The transports of SockJS's client that a browser of today can run, for tests on every one of them. */
import { TRANSPORT_NAMES } from '#server/transports/transport-names.js'

/** One of them. */
export interface SockJSTransport {
  /** The client's name for it. */
  readonly name: string
  /** The server's name for it: an iframe's transport is, to the server, that of its page. */
  readonly carrier: string
  /** What it asks for. */
  readonly path: RegExp
}

/** Those that the server has on unless told otherwise. */
export const USUAL_TRANSPORTS: readonly SockJSTransport[] = [
  { name: 'websocket', carrier: 'websocket', path: /^\/sockets\/\d+\/\w+\/websocket$/ },
  { name: 'xhr-streaming', carrier: 'xhr-streaming', path: /\/xhr_streaming$/ },
  { name: 'xhr-polling', carrier: 'xhr-polling', path: /\/xhr$/ },
  { name: 'eventsource', carrier: 'eventsource', path: /\/eventsource$/ },
]

/** Those that have to be switched on. */
export const OTHER_TRANSPORTS: readonly SockJSTransport[] = [
  { name: 'jsonp-polling', carrier: 'jsonp-polling', path: /\/jsonp$/ },
  { name: 'htmlfile', carrier: 'htmlfile', path: /\/htmlfile$/ },
  { name: 'iframe-eventsource', carrier: 'eventsource', path: /\/eventsource$/ },
  { name: 'iframe-htmlfile', carrier: 'htmlfile', path: /\/htmlfile$/ },
  { name: 'iframe-xhr-polling', carrier: 'xhr-polling', path: /\/xhr$/ },
]

/** All of them. */
export const ALL_TRANSPORTS: readonly SockJSTransport[] = [...USUAL_TRANSPORTS, ...OTHER_TRANSPORTS]

/** Those that reach another origin than the page's. */
export const CROSS_ORIGIN_TRANSPORTS = ALL_TRANSPORTS.filter(({ name }) => name !== 'htmlfile')

/** Options of a server that has all of them on, and `sockjs-client` at this path. */
export const EVERY_TRANSPORT = {
  transports: TRANSPORT_NAMES.filter((name) => name !== 'raw'),
  sockjsUrl: '/sockjs.min.js',
} as const
