/** The code of the README and of the reference runs as it is written, and the tables are those of the code. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { SERVER_EVENTS } from '#server/server-events.js'

const root = new URL('../..', import.meta.url).pathname
const readme = await readFile(join(root, 'README.md'), 'utf8')
const server = await readFile(join(root, 'docs/reference/server.md'), 'utf8')
const client = await readFile(join(root, 'docs/reference/client.md'), 'utf8')
const redis = await readFile(join(root, 'packages/redis/README.md'), 'utf8')

function block(document: string, file: string): string {
  const found = new RegExp(`\`\`\`js ${file}\n([^]*?)\`\`\``).exec(document)?.[1]
  if (found === undefined) throw new Error(`the document has no block ${file}`)
  return found
}

/** How many lines of a program are not blank. */
function codeLines(program: string): number {
  return program.split('\n').filter((line) => line.trim() !== '').length
}

function lines(child: ChildProcess): AsyncIterator<string> {
  if (!child.stdout) throw new Error('no output')
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]()
}

/** The names in the first column of a document's table, backquoted. */
function rowsOf(document: string, column: string): string[] {
  const table = document.split(`| ${column} |`)[1]?.split('\n\n')[0] ?? ''
  return table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ''))
}

/** The properties of an interface. */
async function properties(file: string, name: string): Promise<string[]> {
  const source = await readFile(join(root, file), 'utf8')
  const body = new RegExp(`export interface ${name} \\{\n([^]*?)\n\\}`).exec(source)?.[1] ?? ''
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, property]) => property ?? '')
}

/** The fields of an object that a listener gets, as the table of events names them. */
function documentedFields(event: string): string[] {
  const rows = server.split('\n').map((line) => line.split('|'))
  const [, , listener = ''] =
    rows.find(([, names = '', type = '']) => names.includes(`\`${event}\``) && type.startsWith(' `(')) ?? []
  const [, fields = ''] = /\{ ([\w, ]+) \}/.exec(listener) ?? []
  return fields.split(', ').filter((field) => field !== '')
}

/** The same, as the types of the code have them. */
async function eventFields(event: string): Promise<string[]> {
  if (event === 'health') return properties('packages/server/src/http/server-health.ts', 'ServerHealth')
  const files = ['server-events.ts', 'channels/socket-events.ts'].map((file) => `packages/server/src/${file}`)
  const [own = '', shared = ''] = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
  const type =
    new RegExp(`^ {2}${event}: \\[([^]*?)\\n? *\\]\\n`, 'm').exec(shared)?.[1] ??
    new RegExp(`^ {2}${event}\\(([^]*?)\\): Veto`, 'm').exec(own)?.[1] ??
    ''
  const name = /details: (\w+)/.exec(type)?.[1]
  if (name) return properties(files[1] ?? '', name)
  return [...(/\{([^}]*)\}/.exec(type)?.[1] ?? '').matchAll(/(\w+)\??:/g)].map(([, field]) => field ?? '')
}

/** Programs in a folder of their own, in which the packages can be imported. */
class Programs {
  readonly #children: ChildProcess[] = []
  #folder = ''

  /** Writes them. @param files the programs by name */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    this.#folder = await mkdtemp(join(root, 'node_modules/.readme-'))
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.#folder, name), text)
  }

  run(file: string, env: Record<string, string> = {}): AsyncIterator<string> {
    const child = spawn(process.execPath, [join(this.#folder, file)], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#children.push(child)
    return lines(child)
  }

  async remove(): Promise<void> {
    for (const child of this.#children) child.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function rest(output: AsyncIterator<string>): Promise<string[]> {
  const all: string[] = []
  for (let line = await output.next(); !line.done; line = await output.next()) all.push(line.value)
  return all
}

describe('README', () => {
  const programs = new Programs()

  after(() => programs.remove())

  it('has at most 150 lines, a server of 12 and a client of 8', () => {
    expect(readme.split('\n').length - 1).to.be.at.most(150)
    expect(codeLines(block(readme, 'server.mjs'))).to.be.at.most(12)
    expect(codeLines(block(readme, 'client.mjs'))).to.be.at.most(8)
  })

  it('shows a server and a client that print what the comments say', async () => {
    const listens = 'listen(0, () => console.log(server.address().port))'
    const first = block(readme, 'server.mjs').replace('listen(3000)', listens)
    await programs.write({ 'server.mjs': first })
    const { value: port } = await programs.run('server.mjs').next()
    const second = block(readme, 'client.mjs')
    await programs.write({ 'client.mjs': second.replace('3000', port) })
    const said = [...second.matchAll(/\) \/\/ (.+)$/gm)].map(([, comment = '']) => comment).slice(1)
    expect(said).to.have.length(2)
    expect(await rest(programs.run('client.mjs'))).to.deep.equal(said)
  })
})

describe('the reference', () => {
  const programs = new Programs()

  before(() =>
    programs.write({
      'server.mjs': block(server, 'server.mjs'),
      'client.mjs': block(client, 'client.mjs'),
    }),
  )

  after(() => programs.remove())

  it('shows a server and a client that run as written', async () => {
    const listening = await programs.run('server.mjs', { PORT: '0' }).next()
    const port = /\d+$/.exec(String(listening.value))?.[0]
    const output = await rest(programs.run('client.mjs', { HOST: `http://localhost:${port}` }))
    expect(output).to.deep.equal(['Ann', "chat { text: 'Hello' }", 'forbidden'])
  })

  for (const [document, column, file, name] of [
    [server, 'option', 'packages/server/src/options.ts', 'TokenSocketServerOptions'],
    [server, 'limit', 'packages/server/src/options/limits.ts', 'Limits'],
    [client, 'option', 'packages/client/src/settings/options.ts', 'TokenSocketOptions'],
    [redis, 'option', 'packages/redis/src/options.ts', 'RedisEngineOptions'],
  ] as const) {
    it(`lists every ${column} of ${name}, and no other`, async () => {
      const documented = rowsOf(document, column)
      expect(documented.filter((row) => row !== '')).to.have.members(await properties(file, name))
    })
  }

  it('lists every event of the server, and no other', () => {
    const documented = rowsOf(server, 'event')
    expect(documented).to.have.members(SERVER_EVENTS)
  })

  for (const event of SERVER_EVENTS) {
    it(`says what listeners of ${event} get, as the types do`, async () => {
      expect(documentedFields(event)).to.have.members(await eventFields(event))
    })
  }
})
