/** The first server and the first client of the reference, with mistakes in them, and all that a developer sees of it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { TokenSocket } from '@token-socket/client'
import type { TokenSocketServer } from '@token-socket/server'
import { turn } from '../fixture.js'

const root = new URL('../../..', import.meta.url).pathname
const documents = await Promise.all(
  ['server', 'client'].map((name) => readFile(join(root, `docs/reference/${name}.md`), 'utf8')),
)

/** Milliseconds in which a mistake has to be seen. */
const PATIENCE = 15_000

/** What stands there, and what a developer writes instead. */
export type Edit = readonly [text: string, instead: string]

/** A usual mistake in these first programs. */
export interface Mistake {
  /** What the developer does. */
  readonly mistake: string
  readonly server?: readonly Edit[]
  readonly client?: readonly Edit[]
  /** The client is not run. */
  readonly isServerOnly?: boolean
  /** What one message has to say: what is wrong with which thing, and how to mend it. */
  readonly says: readonly RegExp[]
}

/** What the programs leave behind. */
interface Running {
  readonly servers: Server[]
  readonly endpoints: TokenSocketServer[]
  readonly sockets: TokenSocket[]
}

declare global {
  var running: Running
}

/** Notes what the programs make, so that it can be ended. The names are those of the reference. */
const NOTED: readonly Edit[] = [
  ['createServer(app)', 'note("servers", createServer(app))'],
  ['new TokenSocketServer(', 'make("endpoints", TokenSocketServer, '],
  ['new TokenSocket(', 'make("sockets", TokenSocket, '],
]

const NOTES = `
function note(kind, value) {
  running[kind].push(value)
  // Node prints it and ends the program.
  if (kind === 'servers') value.on('error', (error) => console.error(error))
  return value
}
function make(kind, Class, ...options) { return note(kind, new Class(...options)) }
`

const LEVELS = ['debug', 'info', 'log', 'warn', 'error'] as const

/** Runs the two programs in this process, as new modules, and keeps what they print on the console and what ends them. */
export class FirstPrograms {
  readonly output: string[] = []
  readonly #folder: string
  readonly #console = { ...console }

  static async open(): Promise<FirstPrograms> {
    return new FirstPrograms(await mkdtemp(join(root, 'node_modules/.mistakes-')))
  }

  private constructor(folder: string) {
    this.#folder = folder
    for (const level of LEVELS)
      console[level] = (...parts: unknown[]) => void this.output.push(parts.map(textOf).join(' '))
    globalThis.running = { servers: [], endpoints: [], sockets: [] }
  }

  /** Runs them. @returns whether one message says all that it has to, in time */
  async run({ server = [], client = [], isServerOnly, says }: Mistake): Promise<boolean> {
    const end = performance.now() + PATIENCE
    const isSaid = () => this.output.some((line) => says.every((part) => part.test(line)))
    const until = async (isTrue: () => unknown) => {
      while (!isTrue() && performance.now() < end) await turn()
    }
    await this.#start('server.mjs', server, '0')
    if (!isServerOnly) {
      await until(() => isSaid() || listening())
      void this.#start('client.mjs', client, String(listening()?.port))
    }
    await until(isSaid)
    return isSaid()
  }

  /** Ends what the programs have left. */
  async close(): Promise<void> {
    const { servers, endpoints, sockets } = globalThis.running
    await Promise.all(sockets.map((socket) => socket.end()))
    await Promise.all(endpoints.map((endpoint) => endpoint.shutdown()))
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
    await rm(this.#folder, { recursive: true })
    Object.assign(console, this.#console)
  }

  async #start(file: string, edits: readonly Edit[], port: string): Promise<void> {
    const path = join(this.#folder, file)
    const program = NOTED.reduce((text, [old, instead]) => text.replaceAll(old, instead), edited(file, edits))
    const addressed = program
      .replace('process.env.PORT ?? 3000', port)
      .replace('process.env.HOST ?? ', '')
      .replace('localhost:3000', `localhost:${port}`)
    await writeFile(path, addressed + NOTES)
    await import(pathToFileURL(path).href).catch((error) => this.output.push(textOf(error)))
  }
}

/** The address of the server that listens. */
function listening(): AddressInfo | undefined {
  return globalThis.running.servers.find((server) => server.listening)?.address() as AddressInfo | undefined
}

/** @throws Error if the reference has no such text any more */
function edited(file: string, edits: readonly Edit[]): string {
  const program = new RegExp(`\`\`\`js ${file}\n([^]*?)\`\`\``).exec(documents.join('\n'))?.[1] ?? ''
  return edits.reduce((text, [old, instead]) => {
    if (!text.includes(old)) throw new Error(`the reference's ${file} has no ${old}`)
    return text.replace(old, () => instead)
  }, program)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return value instanceof Error ? `${value} ${inspect(value, { depth: 5 })}` : inspect(value, { depth: 5 })
}
