import { RpcError } from '@token-socket/protocol'
import type { MockPort, ServedMock } from './mock-port.js'

/**
 * Browsers open no ports.
 * @throws RpcError `unsupported`
 */
export function openPort(_mock: ServedMock): Promise<MockPort> {
  return Promise.reject(
    new RpcError('unsupported', 'A mock server listens in Node only: use it in memory here'),
  )
}
