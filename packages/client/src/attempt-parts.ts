import type { AttemptParts } from './attempt.js'
import { GivenTokens } from './given-token.js'
import type { Settings, TransportName } from './options.js'
import { TokenSource } from './token-source.js'
import { type OpenTransport, TransportList } from './transport-list.js'
import { HTTP_TRANSPORTS, openSockJS } from './transports/sockjs.js'
import { openWebSocket } from './transports/websocket.js'

/** What a socket with these settings makes its tries of. No URL holds a token. */
export function attemptParts(settings: Settings, tap: AttemptParts['tap']): AttemptParts {
  const { address, headers, socketPrefix, connectTimeout: timeout, logger } = settings
  const { authentication, jsonp } = settings
  const url = address.http + settings.tokenPath
  // After a plain WebSocket, SockJS's own would be blocked as well, or waited for in vain once more.
  const sockjs =
    settings.transports[0] === 'websocket'
      ? { transports: HTTP_TRANSPORTS, ...settings.sockjs }
      : settings.sockjs
  const urls: Readonly<Record<TransportName, string>> = {
    websocket: `${address.websocket}${socketPrefix}/websocket`,
    sockjs: address.http + socketPrefix,
  }
  const openers: Readonly<Record<TransportName, OpenTransport>> = {
    websocket: (signal) => openWebSocket(urls.websocket, headers, signal),
    sockjs: (signal) => openSockJS(urls.sockjs, sockjs, signal),
  }
  const order = settings.transports.map((name) => [name, openers[name], urls[name]] as const)
  return {
    tokens: settings.token
      ? new GivenTokens(settings.token, timeout)
      : new TokenSource({ url, authentication, headers, jsonp, timeout }),
    transports: new TransportList(order, timeout, logger),
    logger,
    tap,
  }
}
