import type { RpcError } from '@token-socket/protocol'

/**
 * In the place of `failure-text` in scripts whose bytes count: the error names the URL and the
 * cause.
 */
export function failureText({ message }: RpcError, _settings: unknown): string {
  return `TokenSocket: ${message}`
}
