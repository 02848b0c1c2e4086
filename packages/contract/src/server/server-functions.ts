export { callTimeoutOf, localSocket, reportFailure } from '@token-socket/server'
