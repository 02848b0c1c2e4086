/** Finds out whether a value is what a schema says. Reports to the run what it is not. */
export type Check = (value: unknown, run: ValidationRun) => boolean

/** Makes the check of a part of a schema. */
export type Compile = (schema: unknown) => Check

/** What is wrong, and where. It never holds the value. */
export interface FoundIssue {
  readonly message: string
  readonly path: readonly (string | number)[]
}

/** How many issues a run reports. */
const MAX_ISSUES = 20

/** How many schemas may be inside one another, for the same value or for parts of it. */
export const MAX_DEPTH = 1000

/**
 * How many times a run compares a value, or a part of it, with a schema. A choice of choices of a
 * deep value may be endless else.
 */
export const MAX_STEPS = 2_000_000

/** A value that takes more work than a run may do. */
export class TooMuchWork extends Error {}

/** One validation of one value: its issues, and what bounds its work. */
export class ValidationRun {
  readonly issues: FoundIssue[] = []
  readonly #path: (string | number)[] = []
  #trials = 0
  #depth = 0
  #steps = 0

  /** Whether issues are only counted as such, since another choice may accept the value. */
  get isTrial(): boolean {
    return this.#trials > 0
  }

  /** Reports what a part has to be. @returns `false` */
  fail(message: string): false {
    if (this.#trials === 0 && this.issues.length < MAX_ISSUES)
      this.issues.push({ message, path: [...this.#path] })
    return false
  }

  /** Checks a part. @param key its property or index @throws TooMuchWork */
  inside(key: string | number, check: Check, value: unknown): boolean {
    this.#path.push(key)
    const isValid = check(value, this)
    this.#path.pop()
    return isValid
  }

  /**
   * Runs the checks of one schema: all, or up to the first that fails in a trial. @throws
   * TooMuchWork
   */
  all(checks: readonly Check[], value: unknown): boolean {
    this.#steps += 1
    if (this.#steps > MAX_STEPS) throw new TooMuchWork('simple enough to be checked')
    if (this.#depth === MAX_DEPTH) throw new TooMuchWork(`nested at most ${MAX_DEPTH} levels deep`)
    this.#depth += 1
    let isValid = true
    for (const check of checks) {
      if (check(value, this)) continue
      isValid = false
      if (this.#trials > 0) break
    }
    this.#depth -= 1
    return isValid
  }

  /** Whether a value passes a check, without reporting. @throws TooMuchWork */
  accepts(check: Check, value: unknown): boolean {
    this.#trials += 1
    const isValid = check(value, this)
    this.#trials -= 1
    return isValid
  }
}
