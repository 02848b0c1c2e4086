/** The pages of docs/guide: their blocks of code, written to files and run as a reader would run them. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { freePort } from '../../ports.js'
import { Program } from './program.js'

const root = new URL('../../..', import.meta.url).pathname

/** The port that the pages name. */
const PORT = /\b3000\b/g

/** A fenced block of a page. */
export interface Block {
  /** The language: the first word after the fence. */
  readonly language: string
  /** What follows it: the name of a file, or what a text shows. */
  readonly title: string
  readonly code: string
}

/** The blocks of a Markdown text, in their order. */
export function blocksOf(text: string): readonly Block[] {
  const blocks = text.matchAll(/^```(\w*)[ ]?([^\n]*)\n([\s\S]*?)^```$/gm)
  return [...blocks].map(([, language = '', title = '', code = '']) => ({ language, title, code }))
}

/**
 * Whether the test of its page runs a block that has the name of a file: as a server, as a test, by what it prints, or because
 * another block imports it.
 * @param blocks all of the page
 */
export function isRun({ title }: Block, blocks: readonly Block[]): boolean {
  if (title.endsWith('.test.mjs') || /^([\w-]+-)?server\.mjs$/.test(title)) return true
  return blocks.some((other) => other.title === `${title} prints` || other.code.includes(`./${title}'`))
}

/** The names of the guide's pages, without `.md`. */
export async function guidePages(): Promise<readonly string[]> {
  const names = await readdir(join(root, 'docs/guide'))
  return names.filter((name) => name.endsWith('.md')).map((name) => name.slice(0, -'.md'.length))
}

/** A page of the guide, whose files stand in a folder of their own below `node_modules`. */
export class GuidePage {
  readonly blocks: readonly Block[]
  readonly port: number
  readonly #folder: string
  readonly #programs: Program[] = []

  private constructor(blocks: readonly Block[], port: number, folder: string) {
    this.blocks = blocks
    this.port = port
    this.#folder = folder
  }

  /** @param name of a page of the guide, without `.md`; or its path in `docs`, if it has a folder */
  static async read(name: string): Promise<readonly Block[]> {
    const path = name.includes('/') ? name : `guide/${name}`
    return blocksOf(await readFile(join(root, `docs/${path}.md`), 'utf8'))
  }

  /**
   * Writes each block that has the name of a file to it. The programs listen on a free port.
   * @param packages the folder of packages that they may import, in addition to the root's
   */
  static async write(name: string, packages = 'node_modules'): Promise<GuidePage> {
    const blocks = await GuidePage.read(name)
    const port = await freePort()
    const folder = await mkdtemp(join(root, packages, `.guide-${basename(name)}-`))
    for (const { title, code } of [...blocks.filter(isFile), ...(await borrowed(blocks))]) {
      await mkdir(dirname(join(folder, title)), { recursive: true })
      await writeFile(join(folder, title), code.replace(PORT, String(port)))
    }
    return new GuidePage(blocks, port, folder)
  }

  /** The address of its server. */
  get address(): string {
    return `http://localhost:${this.port}`
  }

  /** Where a file of it stands. */
  path(file: string): string {
    return join(this.#folder, file)
  }

  /** The names of its files. */
  get files(): readonly string[] {
    return this.blocks.filter(isFile).map(({ title }) => title)
  }

  /** What it says that a program prints. */
  prints(file: string): string {
    const shown = this.blocks.find(({ title }) => title === `${file} prints`)
    if (!shown) throw new Error(`the page does not say what ${file} prints`)
    return shown.code.trim()
  }

  /** Starts `node FILE …` in its folder. @param env added to its environment */
  run(file: string, env: Readonly<Record<string, string>> = {}, ...args: readonly string[]): Program {
    const program = new Program(this.#folder, [file, ...args], env)
    this.#programs.push(program)
    return program
  }

  /** Starts a program, and waits until it says that it listens. */
  async serve(file = 'server.mjs', env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const server = this.run(file, env)
    await server.says('http://localhost')
    return server
  }

  /** Ends its programs, and removes its files. */
  async remove(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** The files of other pages that a page imports. */
async function borrowed(blocks: readonly Block[]): Promise<readonly Block[]> {
  const imports = blocks.flatMap(({ code }) => [...code.matchAll(/from '\.\/([\w.-]+)'/g)])
  const missing = imports
    .map(([, file = '']) => file)
    .filter((file) => !blocks.some((block) => block.title === file))
  if (missing.length === 0) return []
  const others = await Promise.all((await guidePages()).map((name) => GuidePage.read(name)))
  return others.flat().filter(({ title }) => missing.includes(title))
}

function isFile({ title }: Block): boolean {
  return /^[\w./-]+\.\w+$/.test(title)
}
