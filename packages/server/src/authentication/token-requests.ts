import { RunningTasks } from '../runtime/running-tasks.js'

/** One request for a token that is under way. */
export class TokenRequest {
  readonly #revoked = new Set<string>()

  /**
   * Records that a user was cut off. A token for this user must not be valid, because
   * `authentication` may have run before.
   */
  revoke(subject: string): void {
    this.#revoked.add(subject)
  }

  /** Returns whether one of these users was cut off since the request began. */
  isRevoked(subjects: readonly string[]): boolean {
    return subjects.some((subject) => this.#revoked.has(subject))
  }
}

/**
 * The requests for tokens that are under way on this node. The engine compares times for requests
 * that are done. It cannot tell requests under way from later ones, so they are recorded here.
 */
export class TokenRequests extends RunningTasks<TokenRequest> {
  constructor() {
    super(() => new TokenRequest())
  }

  /** Records on every request that a user was cut off. */
  revoke(subject: string): void {
    for (const request of this.states) request.revoke(subject)
  }
}
