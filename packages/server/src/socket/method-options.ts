import { MethodOptions } from '../options/method-options.js'

/** How a call to a client is made. Their values are checked by the call. */
export const CALL_OPTIONS = new MethodOptions({ timeout: 'checked', signal: 'checked' })

/** How sockets are ended. */
export const END_OPTIONS = new MethodOptions({ reconnect: 'flag' })
