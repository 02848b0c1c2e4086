import { isNever } from '@token-socket/protocol'
import { FieldReader } from '../options/field-reader.js'
import { PatternTable } from '../patterns/pattern-table.js'

/** A rule for the calls of some functions. */
export interface FunctionRule {
  /**
   * The longest time-out that a call may ask for, in milliseconds; `Infinity` for any. A call that
   * asks for none has `limits.callTimeout`, or this if it is shorter.
   * @default limits.callTimeout
   */
  readonly timeout?: number | undefined
}

/**
 * Rules by function, or pattern of functions. If several match one function, its own name comes
 * first, then the order of the rules.
 */
export interface FunctionRules {
  readonly [pattern: string]: FunctionRule
}

const reader = new FieldReader('bad_option')

const FIELDS: ReadonlySet<string> = new Set(['timeout'])

function check(value: unknown): asserts value is FunctionRules {
  for (const [name, rule] of reader.entries(value, 'functions')) {
    const field = reader.entry('functions', name)
    if (name === '') throw reader.wrong(field, 'has to be a name')
    reader.pattern(name, field)
    const timeout = reader.fields(rule, field, FIELDS).get('timeout')
    if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0))
      throw reader.wrong(`${field}.timeout`, 'has to be a number above 0')
  }
}

/** The time-outs of calls, by function and by what the caller asks for. */
export class FunctionTimeouts {
  readonly #rules: PatternTable<FunctionRule> | undefined
  readonly #byDefault: number

  /**
   * @param byDefault milliseconds of a call whose function has no rule
   * @throws RpcError `bad_option`, whose `data.field` names the field, such as
   *   `functions["reports.*"].timeout`
   */
  constructor(rules: FunctionRules, byDefault: number) {
    check(rules)
    const given = Object.entries(rules).filter(([, rule]) => rule?.timeout !== undefined)
    this.#rules = given.length > 0 ? new PatternTable(given) : undefined
    this.#byDefault = byDefault
  }

  /** Returns the longest time-out of a function's calls, in milliseconds. */
  longest(name: string): number {
    const [rule] = this.#rules?.matching(name) ?? []
    return rule?.timeout ?? this.#byDefault
  }

  /**
   * Returns the time-out of a call. @param asked the caller's time-out, in milliseconds; 0 for no
   * limit
   */
  of(name: string, asked: number | undefined): number {
    const longest = this.longest(name)
    if (asked === undefined) return Math.min(longest, this.#byDefault)
    return isNever(asked) ? longest : Math.min(longest, asked)
  }
}
