export { callTimeoutOf, reportFailure } from '@token-socket/server'
