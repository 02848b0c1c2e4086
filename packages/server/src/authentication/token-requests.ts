/** One request for a token that is under way. */
export class TokenRequest {
  readonly #revoked = new Set<string>()

  /** A user was cut off: a token for that user must not be good, though `authentication` may have seen it before. */
  revoke(subject: string): void {
    this.#revoked.add(subject)
  }

  /** Whether one of these users was cut off since it began. */
  isRevoked(subjects: readonly string[]): boolean {
    return subjects.some((subject) => this.#revoked.has(subject))
  }
}

/**
 * The requests for tokens that are under way on this node. The engine compares times for those that are done; what is on its way
 * to the engine can't be told from what comes later, so that it is noted here.
 */
export class TokenRequests {
  readonly #pending = new Set<TokenRequest>()

  /** How many there are. */
  get size(): number {
    return this.#pending.size
  }

  /** Runs what answers a request. */
  async run<T>(answer: (request: TokenRequest) => Promise<T>): Promise<T> {
    const request = new TokenRequest()
    this.#pending.add(request)
    try {
      return await answer(request)
    } finally {
      this.#pending.delete(request)
    }
  }

  /** A user was cut off. */
  revoke(subject: string): void {
    for (const request of this.#pending) request.revoke(subject)
  }
}
