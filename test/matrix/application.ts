/** An application of a user: an empty folder with the packed packages in it, and those of a row. */
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, open, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Site, type SiteOptions } from '../end-to-end/fixture.js'
import { freePort } from '../ports.js'
import { dependenciesOf, installPackages, linkPackages, npmInstall, writeManifest } from './node-modules.js'
import { type Ended, Program, type RunOptions, runProgram } from './programs.js'
import type { Row } from './row.js'

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url))

/** How applications get their packages: links to installed ones, or npm. */
export type Installer = 'links' | 'npm'

export class Application {
  /** Its absolute path, without links in it. */
  readonly folder: string
  readonly installer: Installer
  readonly #row: Row
  readonly #programs: Program[] = []
  readonly #sites: Site[] = []

  /** Makes one. Its package.json has the type `module`. */
  static async create(row: Row, installer: Installer): Promise<Application> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'token-socket-application-')))
    const application = new Application(folder, row, installer)
    try {
      await application.write(
        'package.json',
        JSON.stringify({ name: 'application', private: true, type: 'module' }),
      )
      if (row.isBare) await writeManifest(folder, await dependenciesOf(row))
      else await (installer === 'npm' ? installPackages : linkPackages)(folder, row)
    } catch (error) {
      await application.remove()
      throw error
    }
    return application
  }

  private constructor(folder: string, row: Row, installer: Installer) {
    this.folder = folder
    this.#row = row
    this.installer = installer
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts)
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(file)), { recursive: true })
    await writeFile(this.path(file), text)
  }

  /** Copies a file or a folder of `fixtures`. @param to where to; the application's own folder when left out */
  async copy(fixture: string, to = ''): Promise<void> {
    await cp(join(FIXTURES, fixture), this.path(to), { recursive: true })
  }

  /** Runs a program to its end, in the application's folder. @param program `node`, a path, a command that a package of the row brings, or one of the PATH */
  async run(program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
    const [file, ...first] = await this.command(program)
    return runProgram(String(file), [...first, ...args], { cwd: this.folder, ...options })
  }

  /** Starts a program that is ended with the application. @param program as for {@link run} */
  async start(program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Program> {
    const [file, ...first] = await this.command(program)
    const started = new Program(String(file), [...first, ...args], { cwd: this.folder, ...options })
    this.#programs.push(started)
    return started
  }

  /** What runs a command: a program, and its first arguments. */
  async command(program: string): Promise<readonly string[]> {
    for (const { name } of this.#row.packages) {
      const { bin } = await this.#manifest(name)
      const bins = typeof bin === 'string' ? { [name.replace(/^@.*\//, '')]: bin } : (bin ?? {})
      const file = new Map(Object.entries(bins)).get(program)
      if (file === undefined) continue
      const path = this.path('node_modules', name, file)
      return (await isScript(path)) ? ['node', path] : [path]
    }
    return [program]
  }

  /** The installed version of a package. @param folder in which it is installed. @default the application's own */
  async version(name: string, folder = ''): Promise<string> {
    return String((await this.#manifest(name, folder)).version)
  }

  /** Has npm install more, in a folder below the application's. */
  async install(folder: string, dependencies: Readonly<Record<string, string>>): Promise<void> {
    await this.write(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
    await npmInstall(this.path(folder))
  }

  /** A real server in this process, on a port of its own, for clients of the application. */
  async server(options: SiteOptions = {}): Promise<Site> {
    const site = await Site.start(options)
    this.#sites.push(site)
    return site
  }

  /** A real Redis of its own, that keeps nothing. */
  async redis(): Promise<{ readonly url: string; readonly version: string }> {
    const port = await freePort()
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const redis = await this.start(process.env.REDIS_SERVER ?? 'redis-server', args)
    const [, version = ''] = await redis.prints(/Redis version=([\d.]+)/)
    await redis.prints(/Ready to accept connections/)
    return { url: `redis://127.0.0.1:${port}`, version }
  }

  /** Ends what it started, and removes the folder. */
  async remove(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.end()))
    await Promise.all(this.#sites.map((site) => site.stop()))
    await rm(this.folder, { recursive: true, force: true })
  }

  async #manifest(name: string, folder = ''): Promise<Manifest> {
    const file = this.path(folder, 'node_modules', name, 'package.json')
    return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : {}
  }
}

/** What is read of a package.json. */
interface Manifest {
  readonly version?: string
  readonly bin?: string | Readonly<Record<string, string>>
}

/** Whether Node runs it: npm's packages hold scripts and machine code. */
async function isScript(path: string): Promise<boolean> {
  if (['.js', '.cjs', '.mjs'].includes(extname(path))) return true
  if (!existsSync(path)) return false
  const file = await open(path)
  const { buffer } = await file.read(Buffer.alloc(60))
  await file.close()
  const start = buffer.toString('latin1')
  return start.startsWith('#!') && start.includes('node')
}
