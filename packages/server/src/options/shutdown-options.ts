import { MethodOptions } from './method-options.js'

/** Options of the server's `shutdown`. */
export interface ShutdownOptions {
  /**
   * Whether no other server comes: the token route and the health route are the application's at
   * once, instead of answering 503. Clients that come back get what the application answers there,
   * such as 404.
   * @default false
   */
  readonly final?: boolean | undefined
}

/** Checks {@link ShutdownOptions}. */
export const SHUTDOWN_OPTIONS = new MethodOptions({ final: 'flag' })
