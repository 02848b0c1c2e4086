export { reportFailure } from '@token-socket/server'
