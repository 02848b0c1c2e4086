/** The rows of the matrix: those that the files of `rows` export. */
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { GROUPS, type Row } from './row.js'

const folder = new URL('rows/', import.meta.url)

/** All rows, in the order of the document. */
export async function allRows(): Promise<readonly Row[]> {
  const files = (await readdir(fileURLToPath(folder))).filter((file) => file.endsWith('.ts')).sort()
  const modules = (await Promise.all(files.map((file) => import(new URL(file, folder).href)))) as {
    readonly rows: readonly Row[]
  }[]
  const rows = modules.flatMap((module) => module.rows)
  return GROUPS.flatMap((group) => rows.filter((row) => row.group === group))
}
