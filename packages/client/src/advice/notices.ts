/** A `TokenSocketOptions` of which nothing is checked yet. */
type Unchecked = { readonly logger?: { readonly warn?: unknown } | null; readonly logLevel?: unknown } | null

/** Warnings for the developer of one socket, each of them once. */
export class Notices {
  readonly #given = new Set<string>()
  readonly #options: Unchecked

  /** @param options the socket's: its `logger` takes the warnings, or else the console; `logLevel: 'none'` silences both */
  constructor(options: unknown) {
    this.#options = typeof options === 'object' ? options : null
  }

  /** Whether the application wants none. */
  get areSilenced(): boolean {
    return this.#options?.logLevel === 'none'
  }

  /** Writes a text, unless it was written before. */
  warn(text: string): void {
    if (this.#given.has(text) || this.areSilenced) return
    this.#given.add(text)
    const logger = this.#options?.logger
    const target = typeof logger?.warn === 'function' ? (logger as Pick<Console, 'warn'>) : console
    target.warn(`TokenSocket: ${text}`)
  }
}
