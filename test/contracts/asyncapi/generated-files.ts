/** Generated contracts as files: written where Node and the compiler find the packages, compiled, and imported. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Contract } from '@token-socket/contract'

const root = new URL('../../..', import.meta.url).pathname

/** A folder of the repository for files of a test. */
export async function makeFolder(): Promise<string> {
  await mkdir(join(root, '.cache'), { recursive: true })
  return mkdtemp(join(root, '.cache', 'generated-'))
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** Imports the contract that a text is. */
export async function importContract(folder: string, text: string): Promise<Contract> {
  const file = join(folder, `contract-${Math.random().toString(36).slice(2)}.ts`)
  await writeFile(file, text)
  const module: { contract: Contract } = await import(pathToFileURL(file).href)
  return module.contract
}

const STRICT = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    lib: ['es2023', 'dom'],
    types: ['node'],
    noUnusedLocals: true,
    noUnusedParameters: true,
  },
}

/** What the compiler says of files, as strictly as it can. @returns its errors, '' without */
export async function compile(
  folder: string,
  files: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const compilerOptions = { ...STRICT.compilerOptions, ...options }
  const settings = { ...STRICT, compilerOptions, files: Object.keys(files) }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    await promisify(execFile)(process.execPath, [tsc, '--project', folder], { cwd: folder })
    return ''
  } catch (error) {
    return String(Reflect.get(Object(error), 'stdout'))
  }
}
