import type { AttemptParts } from './attempt.js'
import type { Settings, TransportName } from './options.js'
import { TokenSource } from './token-source.js'
import { type OpenTransport, TransportList } from './transport-list.js'
import { openSockJS } from './transports/sockjs.js'
import { openWebSocket } from './transports/websocket.js'

/** What a socket with these settings makes its tries of. No URL holds a token. */
export function attemptParts(settings: Settings): AttemptParts {
  const { address, headers, socketPrefix, connectTimeout: timeout, logger } = settings
  const { authentication, jsonp } = settings
  const url = address.http + settings.tokenPath
  const openers: Readonly<Record<TransportName, OpenTransport>> = {
    websocket: (signal) => openWebSocket(`${address.websocket}${socketPrefix}/websocket`, headers, signal),
    sockjs: (signal) => openSockJS(address.http + socketPrefix, settings.sockjs, signal),
  }
  const order = settings.transports.map((name) => [name, openers[name]] as const)
  return {
    tokens: new TokenSource({ url, authentication, headers, jsonp, timeout }),
    transports: new TransportList(order, timeout, logger),
    timeout,
    logger,
  }
}
