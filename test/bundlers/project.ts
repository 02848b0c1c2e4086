/** A project in an empty folder, with the client installed from its tarball as npm would publish it. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** What the packages need of others, as npm would put it beside them. */
const DEPENDENCIES = ['eventemitter3', 'sockjs-client', 'ws', 'react', 'react-dom', 'scheduler']

export class Project {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Makes one. @param type of its package.json @param more packages of this repository, besides the client */
  static async create(
    type: 'module' | 'commonjs' = 'module',
    more: readonly string[] = [],
  ): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'token-socket-project-')))
    await project.write('package.json', JSON.stringify({ name: 'user', private: true, type }))
    for (const name of ['protocol', 'client', ...more]) await project.#install(name)
    await project.link(DEPENDENCIES)
    return project
  }

  /** Puts packages that this repository has installed into the project. */
  async link(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const target = this.path('node_modules', name)
      await mkdir(dirname(target), { recursive: true })
      await symlink(join(root, 'node_modules', name), target)
    }
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts)
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(file)), { recursive: true })
    await writeFile(this.path(file), text)
  }

  /** The texts of the scripts that are in a folder, by name. */
  async scripts(folder: string): Promise<Map<string, string>> {
    const names = await readdir(this.path(folder), { recursive: true })
    const scripts = names.filter((name) => name.endsWith('.js'))
    const texts = scripts.map(
      async (name) => [name, await readFile(this.path(folder, name), 'utf8')] as const,
    )
    return new Map(await Promise.all(texts))
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }

  /** Packs a package and unpacks it where npm would put it. */
  async #install(name: string): Promise<void> {
    const target = this.path('node_modules', '@token-socket', name)
    await mkdir(target, { recursive: true })
    const args = ['pack', '--json', '--loglevel=error', '--pack-destination', this.folder]
    const { stdout } = await run('npm', args, { cwd: join(root, 'packages', name) })
    const [packed] = Object.values(JSON.parse(stdout)) as { filename: string }[]
    await run('tar', ['-xzf', this.path(String(packed?.filename)), '-C', target, '--strip-components=1'])
  }

  /** Copies a file of this folder into the project. */
  async copy(file: string): Promise<void> {
    await cp(fileURLToPath(new URL(file, import.meta.url)), this.path(file))
  }
}
