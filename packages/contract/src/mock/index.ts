/**
 * Mocks of a contract's server and client.
 *
 * @module @token-socket/contract/mock
 */
export type { MockIdentity } from './memory/memory-socket.js'
export type { AnyOperationName, MockError, MockOptions } from './mock-answers.js'
export { type CallerOptions, type MockClient, type MockClientOptions, mockClient } from './mock-client.js'
export {
  type InputNamed,
  type MockConnectOptions,
  type MockServer,
  type MockServerOptions,
  mockServer,
  type Some,
} from './mock-server.js'
export type { ListenOptions, MockPort } from './port/mock-port.js'
export type { ReceivedMessage } from './received-messages.js'
