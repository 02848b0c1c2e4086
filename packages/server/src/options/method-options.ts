import { describeGiven } from '../runtime/given-value.js'
import { FieldReader } from './field-reader.js'
import { badOption } from './option-checks.js'

/** The type of an option. The method itself checks what is `checked`. */
const KINDS = {
  checked: { text: '', is: () => true },
  flag: { text: 'has to be true or false', is: (value: unknown) => typeof value === 'boolean' },
  size: {
    text: 'has to be a number, 0 or more',
    is: (value: unknown) => typeof value === 'number' && value >= 0,
  },
} as const

const reader = new FieldReader('bad_option')

/**
 * The options of a method. An unknown one, or one of a wrong type, is refused: a misspelt
 * `reconnect: false` would do the opposite of what was meant. Correct options cost no allocation.
 */
export class MethodOptions {
  readonly #fields: ReadonlyMap<string, keyof typeof KINDS>
  readonly #names: ReadonlySet<string>

  /** @param fields the known options and their types; a missing option is `undefined` */
  constructor(fields: Readonly<Record<string, keyof typeof KINDS>>) {
    this.#fields = new Map(Object.entries(fields))
    this.#names = new Set(Object.keys(fields))
  }

  /** @param options as the application passed them @throws RpcError `bad_option` */
  check(options: unknown): void {
    if (options === undefined) return
    if (typeof options !== 'object' || options === null || Array.isArray(options)) throw notObject(options)
    for (const name in options) {
      const value = (options as Readonly<Record<string, unknown>>)[name]
      if (value === undefined) continue
      const kind = this.#fields.get(name)
      if (kind === undefined) throw reader.unknown(reader.at('options', name), name, this.#names)
      const { is, text } = KINDS[kind]
      if (!is(value)) throw badOption(name, `${text}, not ${describeGiven(value)}`)
    }
  }
}

function notObject(options: unknown): Error {
  const isCallback = typeof options === 'function'
  return badOption(
    'options',
    isCallback
      ? 'has to be an object: there is no callback, the method returns a promise'
      : `has to be an object, not ${describeGiven(options)}`,
  )
}
