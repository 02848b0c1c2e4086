import { validate } from '@cfworker/json-schema'
import { CheckedSchema, isPlainFormat } from './checked-schema.js'
import { type FoundIssue, issuesOf } from './issues.js'
import type { JsonObject } from './json-value.js'
import { Refusal, SentValue } from './sent-value.js'

/**
 * How many times a check compares a value, or a part of it, with a schema. A choice of choices of a
 * deep value may be endless else.
 */
const MAX_STEPS = 500_000

/** How many comparisons of items a check may take, for lists without equal items. */
const MAX_COMPARISONS = 10_000_000

/** Not among them is the library's `url`: it takes endless time for some texts. */
const FORMATS: ReadonlySet<unknown> = new Set([
  ...['date', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'json-pointer', 'regex'],
  ...['relative-json-pointer', 'time', 'uri', 'uri-reference', 'uri-template', 'uuid'],
])

/** Whether values are checked for a format. */
export function isKnownFormat(name: unknown): boolean {
  return FORMATS.has(name) || isPlainFormat(String(name))
}

/** Checks values by a schema, with bounded work. */
export class Validator {
  readonly #schema: CheckedSchema
  readonly #hasUnique: boolean
  #steps = 0

  /**
   * @throws RpcError `bad_option` for what is no schema, for keywords of later drafts, and for
   * references that lead nowhere
   */
  constructor(schema: JsonObject) {
    // The library reads each keyword of a schema for each value that it compares with it.
    const count = () => this.#count()
    const parent = {
      get $recursiveRef() {
        return count()
      },
    }
    this.#schema = new CheckedSchema(schema, parent, FORMATS)
    this.#hasUnique = hasUnique(schema)
  }

  /** What is wrong with a value, with the first 20 issues; none, and it is valid. */
  issuesOf(value: unknown): readonly FoundIssue[] {
    this.#steps = 0
    try {
      return this.#validate(value)
    } catch (error) {
      return [{ message: `has to be ${refusalOf(error)}`, path: [] }]
    }
  }

  #validate(value: unknown): readonly FoundIssue[] {
    const walk = new SentValue()
    const sent = walk.copy(value)
    if (sent === undefined) return [{ message: 'is required', path: [] }]
    if (this.#hasUnique && walk.comparisons > MAX_COMPARISONS) throw new Refusal('of shorter lists')
    const { root, targets } = this.#schema
    const { valid, errors } = validate(sent, root, '7', targets, false)
    return valid ? [] : issuesOf(errors, this.#schema, sent)
  }

  #count(): undefined {
    this.#steps += 1
    if (this.#steps > MAX_STEPS) throw new Refusal('simple enough to be checked')
  }
}

function refusalOf(error: unknown): string {
  if (error instanceof Refusal) return error.message
  // A name with half a character has no form in the library's pointers.
  if (error instanceof URIError) return 'of well-formed names'
  // The stack is full: of levels, or of errors.
  if (error instanceof RangeError) return 'simple enough to be checked'
  throw error
}

function hasUnique(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  return Object.hasOwn(schema, 'uniqueItems') || Object.values(schema).some(hasUnique)
}
