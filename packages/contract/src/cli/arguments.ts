import { parseArgs } from 'node:util'

/** Arguments that the command does not understand. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What the command is asked to do. */
export type Task =
  | { readonly command: 'help' }
  | { readonly command: 'asyncapi'; readonly file: string; readonly options: AsyncApiTaskOptions }
  | { readonly command: 'contract'; readonly file: string; readonly options: ContractTaskOptions }

/** Options of `token-socket contract`. */
export interface ContractTaskOptions {
  readonly out?: string
}

/** Options of `token-socket asyncapi`. */
export interface AsyncApiTaskOptions extends ContractTaskOptions {
  readonly export?: string
  readonly title?: string
  readonly version?: string
  readonly description?: string
  readonly url?: string
}

const TEXT = { type: 'string' } as const
const COMMON = { out: TEXT, help: { type: 'boolean' } } as const
const OPTIONS = {
  asyncapi: { ...COMMON, export: TEXT, title: TEXT, version: TEXT, description: TEXT, url: TEXT },
  contract: COMMON,
} as const

/**
 * Reads the arguments of the command.
 * @throws UsageError which names what is wrong
 */
export function parseArguments(args: readonly string[]): Task {
  const [command, ...rest] = args
  if (command === undefined) throw new UsageError('a command is needed: asyncapi or contract')
  if (command === '--help' || command === 'help') return { command: 'help' }
  if (command !== 'asyncapi' && command !== 'contract') {
    throw new UsageError(`unknown command ${command}: use asyncapi or contract`)
  }
  const { values, positionals } = parse(command, rest)
  const { help, ...options } = values
  if (help) return { command: 'help' }
  const [file, ...others] = positionals
  if (options.out === '') throw new UsageError('--out needs the name of a file')
  if (file === undefined) throw new UsageError(`${command} needs a file`)
  if (others.length > 0) throw new UsageError(`${command} takes one file, not also ${others.join(', ')}`)
  return { command, file, options }
}

interface Parsed {
  readonly values: { readonly help?: boolean } & AsyncApiTaskOptions
  readonly positionals: readonly string[]
}

function parse(command: 'asyncapi' | 'contract', args: readonly string[]): Parsed {
  try {
    return parseArgs({ args: [...args], options: OPTIONS[command], allowPositionals: true }) as Parsed
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
