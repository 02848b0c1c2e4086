/** How the server publishes. */
export interface PublicationOptions {
  /** The event's name, 128 UTF-16 code units at most. @default none */
  readonly event?: string | undefined
  /**
   * A second publication of the server on the channel with this key, within five minutes, is not made. Clients' keys are others.
   * @default none
   */
  readonly idempotencyKey?: string | undefined
  /** Milliseconds that it is kept, if that is longer than the channel's rule says; 0 to keep it not at all. @default the rule's */
  readonly store?: number | undefined
}
