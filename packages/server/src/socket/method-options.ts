import { MethodOptions } from '../options/method-options.js'

/** Options of a call to a client. The call checks their values. */
export const CALL_OPTIONS = new MethodOptions({ timeout: 'checked', signal: 'checked' })

/** Options of the methods that end a socket. */
export const END_OPTIONS = new MethodOptions({ reconnect: 'flag' })
