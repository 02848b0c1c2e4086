/** The program of docs/CONNECTIONS.md for raw WebSockets, as it is written. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './ports.js'

const root = new URL('..', import.meta.url).pathname

/** A line of a documented session: what is typed, or what is shown. */
export interface SessionLine {
  readonly kind: 'typed' | 'shown'
  readonly text: string
}

/** A documented session: the command, and what follows. */
export interface Session {
  readonly command: string
  readonly lines: readonly SessionLine[]
}

/** The documented server, which runs on a port of its own. */
export class RawRecipe {
  readonly port: number
  readonly sessions: readonly Session[]
  readonly #folder: string
  readonly #server: ChildProcess

  private constructor(parts: { port: number; folder: string; sessions: readonly Session[] }) {
    this.port = parts.port
    this.sessions = parts.sessions
    this.#folder = parts.folder
    this.#server = spawn(process.execPath, ['raw-server.mjs'], { cwd: parts.folder, stdio: 'ignore' })
  }

  static async start(): Promise<RawRecipe> {
    const document = await readFile(join(root, 'docs/CONNECTIONS.md'), 'utf8')
    const port = await freePort()
    const own = (text: string) => text.replaceAll('3000', String(port))
    const folder = await mkdtemp(join(root, 'node_modules/.raw-'))
    for (const [, name = '', code = ''] of document.matchAll(
      /```\w+ (raw-[\w-]+\.(?:mjs|html))\n([\s\S]*?)```/g,
    ))
      await writeFile(join(folder, name), own(code))
    const sessions = [...document.matchAll(/```console\n\$ (npx wscat .*)\n([\s\S]*?)```/g)].map(
      ([, command = '', lines = '']) => ({ command: own(command), lines: linesOf(lines) }),
    )
    const recipe = new RawRecipe({ port, folder, sessions })
    await recipe.#listening()
    return recipe
  }

  /** Where its page is. */
  get url(): string {
    return `http://localhost:${this.port}/`
  }

  async stop(): Promise<void> {
    this.#server.kill()
    await rm(this.#folder, { recursive: true })
  }

  async #listening(): Promise<void> {
    while (this.#server.exitCode === null) {
      const isUp = await fetch(this.url).then(
        () => true,
        () => false,
      )
      if (isUp) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error('the documented server has ended')
  }
}

function linesOf(text: string): readonly SessionLine[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    if (line.startsWith('> ')) return { kind: 'typed', text: line.slice(2) }
    return { kind: 'shown', text: line.replace(/^< /, '') }
  })
}
