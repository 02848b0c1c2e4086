/** The README's code runs as it is written, and its option tables are those of the code. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { SERVER_EVENTS } from '#server/server-events.js'

const root = new URL('../..', import.meta.url).pathname
const readme = await readFile(join(root, 'README.md'), 'utf8')
const redis = await readFile(join(root, 'packages/redis/README.md'), 'utf8')

function block(file: string): string {
  const found = new RegExp(`\`\`\`js ${file}\n([^]*?)\`\`\``).exec(readme)?.[1]
  if (found === undefined) throw new Error(`the README has no block ${file}`)
  return found
}

function lines(child: ChildProcess): AsyncIterator<string> {
  if (!child.stdout) throw new Error('no output')
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]()
}

/** The names in the first column of the table that follows a text, backquoted. */
function rowsAfter(text: string, column: string, document = readme): string[] {
  const table = document.slice(document.indexOf(text)).split(`| ${column} |`)[1]?.split('\n\n')[0] ?? ''
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
  const rows = readme.split('\n').map((line) => line.split('|'))
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

describe('README', () => {
  let folder: string
  const children: ChildProcess[] = []

  before(async () => {
    folder = await mkdtemp(join(root, 'node_modules/.readme-'))
    for (const file of ['server.mjs', 'client.mjs']) await writeFile(join(folder, file), block(file))
  })

  after(async () => {
    for (const child of children) child.kill()
    await rm(folder, { recursive: true, force: true })
  })

  function run(file: string, env: Record<string, string>): ChildProcess {
    const child = spawn(process.execPath, [join(folder, file)], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }

  it('shows a server and a client that run as written', async () => {
    const listening = await lines(run('server.mjs', { PORT: '0' })).next()
    const port = /\d+$/.exec(String(listening.value))?.[0]
    const output: string[] = []
    const client = lines(run('client.mjs', { HOST: `http://localhost:${port}` }))
    for (let line = await client.next(); !line.done; line = await client.next()) output.push(line.value)
    expect(output).to.deep.equal(['Ann', "chat { text: 'Hello' }", 'forbidden'])
  })

  it('has a server of 20 lines and a client of 11, blank ones not counted', () => {
    const codeLines = (file: string) =>
      block(file)
        .split('\n')
        .filter((line) => line.trim() !== '').length
    expect(codeLines('server.mjs')).to.be.at.most(20)
    expect(codeLines('client.mjs')).to.be.at.most(11)
  })

  for (const [about, column, file, name] of [
    ["## The server's API", 'option', 'packages/server/src/options.ts', 'TokenSocketServerOptions'],
    ["## The server's API", 'limit', 'packages/server/src/options/limits.ts', 'Limits'],
    ["## The client's API", 'option', 'packages/client/src/settings/options.ts', 'TokenSocketOptions'],
  ] as const) {
    it(`lists every ${column} of ${name}, and no other`, async () => {
      const documented = rowsAfter(about, column)
      expect(documented.filter((row) => row !== '')).to.have.members(await properties(file, name))
    })
  }

  it('lists every event of the server, and no other', () => {
    const documented = rowsAfter("## The server's API", 'event')
    expect(documented).to.have.members(SERVER_EVENTS)
  })

  for (const event of SERVER_EVENTS) {
    it(`says what listeners of ${event} get, as the types do`, async () => {
      expect(documentedFields(event)).to.have.members(await eventFields(event))
    })
  }

  it('of the package redis lists every option of RedisEngineOptions, and no other', async () => {
    const options = await properties('packages/redis/src/options.ts', 'RedisEngineOptions')
    expect(rowsAfter('# @token-socket/redis', 'option', redis)).to.have.members(options)
  })
})
