/** Resolves packages as tools did before `exports`: by the fields of package.json alone. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Plugin } from 'esbuild'

interface Manifest {
  readonly browser?: string | Readonly<Record<string, string | false>>
  readonly [field: string]: unknown
}

/** Names a package, and maybe a file in it. */
const BARE = /^(@[^/]+\/[^/]+|[^./@][^/]*)(?:\/(.+))?$/

/**
 * An esbuild plugin that resolves every bare import by fields.
 * @param fields of main files, the first that is a string counts; the object `browser` replaces files if `browser` is among them
 */
export function byFields(fields: readonly string[]): Plugin {
  return {
    name: 'by-fields',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, importer, resolveDir }) => {
        if (!fields.includes('browser') || !importer) return undefined
        const file = standIn(join(resolveDir, path))
        return file === undefined ? undefined : { path: file }
      })
      onResolve({ filter: BARE }, ({ path, importer, resolveDir }) => {
        const { browser } = manifestAbove(importer || resolveDir)
        const own = fields.includes('browser') && typeof browser === 'object' ? browser[path] : undefined
        if (own === false) return { path, namespace: 'empty' }
        return { path: resolveByFields(own ?? path, resolveDir, fields) }
      })
    },
  }
}

/** The file that a bare name stands for. @throws Error if no such file is there */
export function resolveByFields(name: string, from: string, fields: readonly string[]): string {
  const [, packageName = '', file] = BARE.exec(name) ?? []
  const folder = folderOf(packageName, from)
  if (folder === undefined) throw new Error(`there is no package ${packageName}: a part of Node’s?`)
  const inner =
    file !== undefined && existsSync(join(folder, file, 'package.json')) ? join(folder, file) : folder
  const manifest = manifestIn(inner)
  const main = fields.map((field) => manifest[field]).find((value) => typeof value === 'string')
  const path =
    inner === folder && file !== undefined ? join(folder, file) : join(inner, String(main ?? 'index.js'))
  const { browser } = manifest
  const mapped =
    fields.includes('browser') && typeof browser === 'object'
      ? browser[`./${relative(inner, path)}`]
      : undefined
  const found = mapped ? join(inner, mapped) : path
  if (!existsSync(found) || !statSync(found).isFile()) throw new Error(`${name} is no file: ${found}`)
  return found
}

/** What the nearest package.json puts in a file's place in a page. */
function standIn(file: string): string | undefined {
  for (let folder = dirname(file); dirname(folder) !== folder; folder = dirname(folder)) {
    if (!existsSync(join(folder, 'package.json'))) continue
    const { browser } = manifestIn(folder)
    const mapped = typeof browser === 'object' ? browser[`./${relative(folder, file)}`] : undefined
    return mapped ? join(folder, mapped) : undefined
  }
  return undefined
}

function folderOf(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(candidate)) return realpathSync(candidate)
    if (dirname(folder) === folder) return undefined
  }
}

function manifestAbove(file: string): Manifest {
  for (let folder = file; dirname(folder) !== folder; folder = dirname(folder)) {
    const { name, ...manifest } = manifestIn(folder)
    if (name !== undefined) return manifest
  }
  return {}
}

function manifestIn(folder: string): Manifest {
  const file = join(folder, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}
