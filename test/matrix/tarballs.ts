/** The packages of this repository as npm would publish them, packed once a process. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from './programs.js'

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Every package, by its folder. */
const FOLDERS = ['protocol', 'client', 'server', 'contract', 'lmdb', 'redis', 'sign-out']

/** A packed package. */
export interface Tarball {
  /** `@token-socket/client` */
  readonly name: string
  readonly path: string
  /** What it needs of others. */
  readonly dependencies: Readonly<Record<string, string>>
}

let packed: Promise<ReadonlyMap<string, Tarball>> | undefined
let folder: string | undefined

/** The tarballs by folder: `client`. They have to be built before. */
export function tarballs(): Promise<ReadonlyMap<string, Tarball>> {
  packed ??= pack()
  return packed
}

/** Removes them. */
export async function removeTarballs(): Promise<void> {
  if (folder) await rm(folder, { recursive: true, force: true })
  packed = undefined
  folder = undefined
}

async function pack(): Promise<ReadonlyMap<string, Tarball>> {
  folder = await mkdtemp(join(tmpdir(), 'token-socket-tarballs-'))
  const specifiers = FOLDERS.map((name) => `./packages/${name}`)
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', folder, ...specifiers]
  const { stdout, stderr, code } = await runProgram('npm', args, { cwd: root })
  if (code !== 0) throw new Error(`npm pack failed: ${stderr}`)
  const files = Object.values(JSON.parse(stdout)) as { name: string; filename: string }[]
  const entries = FOLDERS.map(async (name) => [name, await tarballOf(name, files)] as const)
  return new Map(await Promise.all(entries))
}

async function tarballOf(
  name: string,
  files: readonly { name: string; filename: string }[],
): Promise<Tarball> {
  const manifest = JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8'))
  const file = files.find((one) => one.name === manifest.name)
  if (!folder || !file) throw new Error(`npm pack made no tarball of ${name}`)
  const { dependencies = {} } = manifest
  return { name: manifest.name, path: join(folder, file.filename), dependencies }
}
