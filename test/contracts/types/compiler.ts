import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The repository's root folder. */
export const root = new URL('../../..', import.meta.url).pathname

/** A project of its own below the repository, so that it finds the packages; deleted by `delete`. */
export class Project {
  readonly folder: string

  constructor() {
    const cache = join(root, '.cache')
    mkdirSync(cache, { recursive: true })
    this.folder = mkdtempSync(join(cache, 'types-'))
  }

  /** @param files by name. @param compilerOptions besides the repository's own. @returns what the compiler says */
  compile(files: Readonly<Record<string, string>>, compilerOptions: object = {}): string {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text)
    const settings = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: { lib: ['es2023', 'dom'], types: ['node'], ...compilerOptions },
      files: Object.keys(files),
    }
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify(settings))
    const args = [
      join(root, 'node_modules/typescript/bin/tsc'),
      '--project',
      this.folder,
      '--pretty',
      'false',
    ]
    return spawnSync(process.execPath, args, { encoding: 'utf8', cwd: root }).stdout
  }

  delete(): void {
    rmSync(this.folder, { recursive: true })
  }
}
