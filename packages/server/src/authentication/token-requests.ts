import { RunningTasks } from '../runtime/running-tasks.js'

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
export class TokenRequests extends RunningTasks<TokenRequest> {
  constructor() {
    super(() => new TokenRequest())
  }

  /** A user was cut off. */
  revoke(subject: string): void {
    for (const request of this.states) request.revoke(subject)
  }
}
