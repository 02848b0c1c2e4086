import { ERRORS, type ErrorCode, encodeData, limitError, nearestName, RpcError } from '@token-socket/protocol'
import { ChannelPattern, PatternError } from '../patterns/channel-pattern.js'

/** Longer names are shortened in errors, since they may be very long. */
const SHOWN = 40

/** Up to this number, all known fields are named. */
const FEW = 6

/**
 * Reads objects of others, by their own fields only. An error is an RpcError with the code of the
 * constructor, whose `data.field` names the field, such as `channels["chat-*"].history.ttl`.
 */
export class FieldReader {
  readonly #code: ErrorCode

  constructor(code: ErrorCode) {
    this.#code = code
  }

  /**
   * Returns the own entries of an object, without those that are `undefined`. @param limit how many
   * it may have
   */
  entries(value: unknown, field: string, limit = Number.POSITIVE_INFINITY): [string, unknown][] {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.wrong(field, 'has to be an object')
    const entries = Object.entries(value).filter(([, own]) => own !== undefined)
    if (entries.length > limit) throw this.over(field, limit)
    return entries
  }

  /** Returns the fields of an object. An unknown field is refused: it may be a misspelt `false`. */
  fields(value: unknown, field: string, known: ReadonlySet<string>): ReadonlyMap<string, unknown> {
    const entries = this.entries(value, field)
    const unknown = entries.find(([name]) => !known.has(name))
    if (unknown) throw this.unknown(this.at(field, unknown[0]), unknown[0], known)
    return new Map(entries)
  }

  /** Makes the error for an unknown field, with the name that was most likely meant. */
  unknown(field: string, name: string, known: ReadonlySet<string>): RpcError {
    return this.wrong(field, `is not known${suggestion(name, known)}`)
  }

  /** Reads `true`, `false`, or `undefined` if it is missing. */
  verdict(value: unknown, field: string): boolean | undefined {
    if (value !== undefined && typeof value !== 'boolean') throw this.wrong(field, 'has to be true or false')
    return value
  }

  /** Reads a number from 0 up to a limit. */
  number(value: unknown, field: string, limit: number): number {
    if (typeof value !== 'number' || !(value >= 0)) throw this.wrong(field, 'has to be a number, 0 or more')
    if (value > limit) throw this.over(field, limit)
    return value
  }

  /** Reads the pattern that a name in an object is. */
  pattern(text: string, field: string): ChannelPattern {
    try {
      return ChannelPattern.parse(text)
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      throw this.wrong(field, error.message, error.limit)
    }
  }

  /** Returns the name of a field inside another one. */
  at(field: string, name: string): string {
    return /^\w{1,40}$/.test(name) ? `${field}.${name}` : this.entry(field, name)
  }

  /** Returns the name of an entry of a table. */
  entry(field: string, name: string): string {
    return `${field}[${encodeData(name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name)}]`
  }

  /** Makes the error for a field with a wrong value. */
  wrong(field: string, why: string, limit?: number): RpcError {
    const text = `${ERRORS[this.#code]}: ${field} ${why}`
    if (limit === undefined) return new RpcError(this.#code, text, { field })
    return new RpcError(this.#code, `${text} (limit ${limit})`, { field, limit })
  }

  /** Makes the error for a field that exceeds its limit. */
  over(field: string, limit: number): RpcError {
    return limitError(this.#code, { field, limit })
  }
}

function suggestion(wrong: string, known: ReadonlySet<string>): string {
  const meant = nearestName(wrong, known) ?? (known.size <= FEW ? [...known].join(', ') : undefined)
  return meant === undefined ? '' : `: did you mean ${meant}?`
}
