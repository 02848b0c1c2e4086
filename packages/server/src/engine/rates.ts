/** Takes from the token bucket of a key. */
export interface RateRequest {
  /** How much the bucket regains in a second, above 0. */
  readonly perSecond: number
  /** How much a full bucket holds, above 0. An unknown bucket is full. */
  readonly burst: number
  /** How much to take, above 0. Fractions are allowed. */
  readonly amount: number
}

/** The result of a {@link RateRequest}. */
export interface RateGrant {
  /** How much was taken: all of the amount, or what the bucket held. */
  readonly granted: number
  /** How much the bucket still holds. */
  readonly left: number
  /**
   * Milliseconds until the rest of the amount is available, if others take nothing; 0 if there is
   * no rest.
   */
  readonly retryAfter: number
}

/** Token buckets that all nodes share. The engine may forget a full one. */
export interface Rates {
  /** Takes up to an amount, atomically over all nodes. */
  take(key: string, request: RateRequest): Promise<RateGrant>
}
