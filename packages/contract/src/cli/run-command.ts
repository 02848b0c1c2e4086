import { readFile, stat, writeFile } from 'node:fs/promises'
import { fromAsyncApi } from '../asyncapi/from-asyncapi.js'
import { toJson } from '../asyncapi/json-text.js'
import { ModelError } from '../asyncapi/model-error.js'
import { MissingPackageError } from '../asyncapi/optional-package.js'
import { toAsyncApi } from '../asyncapi/to-asyncapi.js'
import { type AsyncApiTaskOptions, parseArguments, type Task, UsageError } from './arguments.js'
import { loadContract } from './contract-module.js'
import { FileError } from './file-error.js'
import { loadConverters } from './schema-converters.js'
import { USAGE } from './usage.js'

/** Where the command writes. */
export interface CommandOutput {
  /** Takes the result. */
  write(text: string): Promise<void>
  /** Takes a line of what is not the result: warnings, errors, progress. */
  report(text: string): Promise<void>
}

/**
 * Runs the command `token-socket`.
 * @param args without the program's name
 * @returns the exit code: 0 done, 1 failed, 2 wrong arguments
 */
export async function runCommand(args: readonly string[], output: CommandOutput): Promise<number> {
  try {
    await runTask(parseArguments(args), output)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      await output.report(`token-socket: ${error.message}\nTry token-socket --help`)
      return 2
    }
    await output.report(`token-socket: ${failureText(error)}`)
    return 1
  }
}

async function runTask(task: Task, output: CommandOutput): Promise<void> {
  if (task.command === 'help') return output.write(USAGE)
  const warn = (text: string): void => void output.report(`token-socket: warning: ${text}`)
  const { file, options } = task
  if (options.out !== undefined && (await isSameFile(file, options.out)))
    throw new UsageError(`--out would overwrite ${file}, which is read`)
  const text =
    task.command === 'asyncapi' ? await documentOf(file, task.options, warn) : await contractOf(file, warn)
  if (options.out === undefined) return output.write(text)
  await writeResult(options.out, text)
  await output.report(`token-socket: wrote ${options.out}`)
}

async function documentOf(
  file: string,
  options: AsyncApiTaskOptions,
  onWarning: (text: string) => void,
): Promise<string> {
  const { title = 'TokenSocket API', version = '1.0.0', description, url } = options
  const contract = await loadContract(file, options.export)
  const converters = await loadConverters(contract, onWarning)
  const document = toAsyncApi(contract, { title, version, description, url, converters, onWarning })
  return `${toJson(document, 2)}\n`
}

async function contractOf(file: string, onWarning: (text: string) => void): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new FileError(`${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`)
  })
  try {
    return await fromAsyncApi(text, { onWarning })
  } catch (error) {
    if (error instanceof ModelError) throw new FileError(`${file}: ${error.message}`, { cause: error })
    throw error
  }
}

/** Whether two paths lead to one file, also by a link. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)))
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev
}

async function writeResult(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: Error) => {
    throw new FileError(`${file}: it can’t be written: ${error.message}`)
  })
}

/** What the user did is said in a line; what is a fault of the program is shown whole. */
function failureText(error: unknown): string {
  const isExpected = error instanceof FileError || error instanceof MissingPackageError
  if (isExpected || (error instanceof Error && 'code' in error)) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
