import { MethodOptions } from './method-options.js'

/** Options of the server's `shutdown`. */
export interface ShutdownOptions {
  /**
   * Whether no other server follows: the token route and the health route return to the application
   * at once, instead of answering 503. Clients that reconnect get the application's answer there,
   * such as 404.
   * @default false
   */
  readonly final?: boolean | undefined
}

/** Checks {@link ShutdownOptions}. */
export const SHUTDOWN_OPTIONS = new MethodOptions({ final: 'flag' })
