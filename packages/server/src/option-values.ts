import { badOption } from './options/option-checks.js'
import { tryCompression } from './transports/per-message-deflate.js'
import { SESSION_BINDINGS, type SessionBindingName } from './transports/session-binding.js'
import { TRANSPORT_NAMES } from './transports/transport-names.js'

/** @throws RpcError `bad_option` unless it is a path without a slash at its end */
export function checkPath(name: string, value: unknown): void {
  if (typeof value !== 'string' || !/^(\/[\w.~-]+)+$/.test(value)) {
    throw badOption(name, 'has to be a path such as /sockets, without a slash at its end')
  }
}

/** @throws RpcError `bad_option` unless they are known, and clients can connect by one of them */
export function checkTransports(names: unknown): void {
  if (!Array.isArray(names) || names.some((name) => !TRANSPORT_NAMES.includes(name))) {
    throw badOption('transports', `has to be a list of some of ${TRANSPORT_NAMES.join(', ')}`)
  }
  if (names.every((name) => name === 'iframe')) {
    throw badOption('transports', 'has to name one by which clients can connect')
  }
}

/** @throws RpcError `bad_option` unless it is one of {@link SESSION_BINDINGS} */
export function checkBinding(value: unknown): void {
  if (!SESSION_BINDINGS.includes(value as SessionBindingName))
    throw badOption('bindSessions', `has to be one of ${SESSION_BINDINGS.join(', ')}`)
}

/**
 * It goes into a page as it is: what could end the attribute, or be read as another host, is
 * refused.
 * @throws RpcError `bad_option`
 */
export function checkScript(url: unknown): void {
  if (url === undefined) return
  const isSafe = typeof url === 'string' && /^[!#-;=?-[\]_a-z~]+$/i.test(url) && !url.includes("'")
  if (!isSafe || !(/^\/(?!\/)/.test(url) || (/^https?:\/\//i.test(url) && URL.canParse(url)))) {
    throw badOption('sockjsUrl', 'has to be an http or https URL, or a path such as /sockjs.min.js')
  }
}

/** @throws RpcError `bad_option` unless they are settings that a WebSocket server takes */
export function checkCompression(value: unknown): void {
  if (typeof value === 'boolean') return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badOption('perMessageDeflate', 'has to be true, false, or settings')
  }
  try {
    tryCompression(value)
  } catch (cause) {
    throw badOption('perMessageDeflate', `cannot be used: ${(cause as Error).message}`)
  }
}
