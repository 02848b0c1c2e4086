import { urlInTime } from '../settings/given-url.js'
import type { Settings, TransportName } from '../settings/options.js'
import { TokenProvider } from '../token/token-provider.js'
import { TokenSource } from '../token/token-source.js'
import type { AttemptDependencies } from './attempt.js'
import { type ListedTransport, TransportList } from './transport-list.js'
import { HTTP_TRANSPORTS, openSockJS } from './transports/sockjs.js'
import { openWebSocket } from './transports/websocket.js'

/**
 * Makes the dependencies of connection attempts from the settings. No URL holds a token, unless the
 * application puts one there.
 */
export function attemptDependencies(
  settings: Settings,
  tap: AttemptDependencies['tap'],
): AttemptDependencies {
  const { address, headers, socketPrefix, connectTimeout: timeout, logger } = settings
  const { authentication, jsonp, webSocket } = settings
  const url = address.http + settings.tokenPath
  // If a plain WebSocket is blocked, SockJS's WebSocket is blocked as well.
  const sockjs =
    settings.transports[0] === 'websocket'
      ? { transports: HTTP_TRANSPORTS, ...settings.sockjs }
      : settings.sockjs
  const lines = `${address.websocket}${socketPrefix}/websocket`
  const polls = address.http + socketPrefix
  const { url: give } = settings
  let opened: string | Promise<string> = lines
  const known: Readonly<Record<TransportName, ListedTransport>> = {
    websocket: ['websocket', (signal) => openWebSocket(opened, headers, signal, webSocket), lines],
    sockjs: ['sockjs', (signal) => openSockJS(polls, sockjs, signal), polls],
  }
  const order = settings.transports.map((name) => known[name])
  return {
    tokens: give
      ? {
          // A step of its own, like the token request. The error names the URL.
          async request(signal) {
            opened = urlInTime(lines, give, [timeout, signal])
            await opened
            return undefined
          },
        }
      : settings.token
        ? new TokenProvider(settings.token, timeout)
        : new TokenSource({ url, authentication, headers, jsonp, timeout }),
    transports: new TransportList(order, timeout, logger),
    logger,
    tap,
  }
}
