import { access } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadPackage } from '../asyncapi/optional-package.js'
import type { Contract } from '../contract.js'
import { FileError } from './file-error.js'

interface Jiti {
  createJiti(from: string, options: object): { import(path: string): Promise<unknown> }
}

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx', '.jsx'])

/**
 * Loads the contract that a file of TypeScript or JavaScript exports.
 *
 * @param name of the export. @default `contract`, or else the default export
 * @throws FileError for a file that is missing, fails, or exports no such contract
 * @throws MissingPackageError without `jiti`, for TypeScript
 */
export async function loadContract(file: string, name?: string): Promise<Contract> {
  const path = resolve(file)
  await access(path).catch(() => {
    throw new FileError(`${file}: there is no such file`)
  })
  const module = await loadModule(path, file)
  const found = name === undefined ? (module.contract ?? module.default) : module[name]
  if (isContract(found)) return found
  if (found === undefined) throw new FileError(`${file}: it has no export ${exportText(name, module)}`)
  throw new FileError(`${file}: its export ${name ?? 'contract'} is no contract. Make it by defineContract`)
}

type Module = Readonly<Record<string, unknown>>

async function loadModule(path: string, file: string): Promise<Module> {
  const load = TYPESCRIPT.has(extname(path)) ? await typescriptLoader(path) : importFile
  try {
    return (await load(path)) as Module
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new FileError(`${file}: it can’t be loaded: ${text}`, { cause: error })
  }
}

function importFile(path: string): Promise<unknown> {
  return import(pathToFileURL(path).href)
}

async function typescriptLoader(path: string): Promise<(path: string) => Promise<unknown>> {
  const { createJiti } = await loadPackage<Jiti>('jiti', () => import('jiti'))
  const jiti = createJiti(path, { fsCache: false, interopDefault: false, jsx: /x$/.test(path) })
  return (file) => jiti.import(file)
}

function isContract(value: unknown): value is Contract {
  if (typeof value !== 'object' || value === null || !('definition' in value)) return false
  return typeof value.definition === 'object' && value.definition !== null
}

function exportText(name: string | undefined, module: Module): string {
  const names = Object.keys(module).filter((one) => one !== '__esModule')
  const others = names.length > 0 ? `; it exports ${names.join(', ')}` : ''
  return `${name ?? 'contract'}${others}. Name it with --export`
}
