export { callTimeoutOf, checkPresence, localSocket, reportFailure } from '@token-socket/server'
