import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromAsyncApi } from '@token-socket/contract/asyncapi'
import { expect } from 'chai'
import { runCommand } from '#contract/cli/run-command.js'
import { makeFolder, removeFolder } from '../asyncapi/generated-files.js'

const root = new URL('../../..', import.meta.url).pathname
const main = join(root, 'packages', 'contract', 'src', 'cli', 'main.ts')

interface Ran {
  readonly code: number
  readonly out: string
  readonly error: string
}

const moduleOf = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`

/** A module that makes Node find some packages nowhere. */
function hiding(packages: readonly string[]): string {
  const hook = `export async function resolve(name, context, next) {
    if (!${JSON.stringify(packages)}.includes(name)) return next(name, context)
    throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: 'ERR_MODULE_NOT_FOUND' })
  }`
  return moduleOf(`import { register } from 'node:module'\nregister(${JSON.stringify(moduleOf(hook))})`)
}

/** Runs the command in a process of its own. @param hidden packages that are not installed there */
function runIn(folder: string, args: readonly string[], hidden: readonly string[] = []): Promise<Ran> {
  const hides = hidden.length > 0 ? [`--import=${hiding(hidden)}`] : []
  const all = ['--conditions=@token-socket/source', '--import=tsx', ...hides, main, ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, all, { cwd: folder, timeout: 100_000 }, (failure, out, error) => {
      const code = failure ? Number(failure.code ?? -1) : 0
      resolve({ code, out, error })
    })
  })
}

/** Runs the command within this process. Words that are names of files in the folder become paths. */
async function runHere(folder: string, args: readonly string[]): Promise<Ran> {
  const texts = { out: '', error: '' }
  const isFile = (arg: string): boolean => /^[\w-]+\.\w+$|^none|^\.$/.test(arg)
  const placed = args.map((arg) => (isFile(arg) ? join(folder, arg) : arg))
  const code = await runCommand(placed, {
    write: async (text) => {
      texts.out += text
    },
    report: async (text) => {
      texts.error += text
    },
  })
  return { code, ...texts }
}

const IMPORTS = `
import { defineContract, procedure, type } from '@token-socket/contract'
import * as v from 'valibot'
import { z } from 'zod'
`

const FILES: Readonly<Record<string, string>> = {
  'contract.ts': `${IMPORTS}
enum Kind { A = 'a' }
console.log('noise')
process.stdout.write('direct\\n')
export const contract = defineContract({ server: { hello: procedure({ input: z.enum(Kind) }) } })
`,
  'shop.mts': `${IMPORTS}export const shop = defineContract({ server: { buy: procedure({ input: z.string() }) } })`,
  'default.js': `import { defineContract, procedure } from '@token-socket/contract'
export default defineContract({ client: { tell: procedure() } })`,
  'common.cjs': `exports.contract = { definition: {} }`,
  'valibot.ts': `${IMPORTS}export const contract = defineContract({ server: { buy: procedure({ input: v.string() }) } })`,
  'valibot-channel.ts': `${IMPORTS}export const contract = defineContract({ channels: {
  'room-{id}': { events: { say: v.string() }, presence: v.object({ name: v.string() }) } } })`,
  'valibot-error.ts': `${IMPORTS}export const contract = defineContract({ both: { a: { b: procedure({ output: type<1>(),
  errors: { sold_out: v.object({ left: v.number() }) } }) } } })`,
  'open.ts': `${IMPORTS}export const contract = defineContract({ server: { buy: procedure({ input: type<1>() }) } })`,
  'broken.ts': `throw new Error('it is broken')`,
  'syntax.ts': `export const = 1`,
  'waits.ts': `await new Promise(() => {})`,
  'stays.ts': `${IMPORTS}setInterval(() => {}, 1000)
export const contract = defineContract({ server: { hello: procedure() } })`,
  'late.ts': `setTimeout(() => { throw new Error('too late') }, 0)
await new Promise((resolve) => setTimeout(resolve, 5000))`,
  'view.tsx': `${IMPORTS}export const view = <T,>(value: T): T => value
export const contract = defineContract({ server: { hello: procedure() } })`,
  'wrong.ts': `export const contract = { server: {} }`,
  'model.yaml': `asyncapi: 3.0.0
channels: { calls: { messages: { buy: { payload: { type: string, nullable: true } } } } }
operations: { buy: { action: receive, channel: { $ref: '#/channels/calls' } } }
`,
  'model.json':
    '{ "asyncapi": "3.0.0", "channels": { "a": { "messages": { "b": {} } } }, "operations": { "b": { "action": "receive", "channel": { "$ref": "#/channels/a" } } } }',
  'old.json': '{ "asyncapi": "2.6.0" }',
}

describe('token-socket', function () {
  this.timeout(60_000)
  let folder: string
  const run = (...args: readonly string[]): Promise<Ran> => runIn(folder, args)

  before(async () => {
    folder = await makeFolder()
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text)
  })

  after(() => removeFolder(folder))

  for (const args of [['--help'], ['help'], ['asyncapi', '--help'], ['contract', '--help']]) {
    it(`${args.join(' ')} shows how it is used`, async () => {
      const { code, out, error } = await run(...args)
      expect({ code, error }).to.deep.equal({ code: 0, error: '' })
      expect(out).to.match(/^Usage:\n {2}token-socket asyncapi/)
    })
  }

  it('refuses to write over the file that it reads', async () => {
    for (const out of ['contract.ts', './contract.ts', join(folder, 'contract.ts')]) {
      const { code, error } = await run('asyncapi', 'contract.ts', '--out', out)
      expect(code).to.equal(2)
      expect(error).to.include('--out would overwrite contract.ts, which is read')
    }
    expect(await readFile(join(folder, 'contract.ts'), 'utf8')).to.equal(FILES['contract.ts'])
  })

  it('says which file’s failure it is that comes later', async () => {
    const { code, error } = await run('asyncapi', 'late.ts')
    expect(code).to.equal(1)
    expect(error).to.match(/^token-socket: a file that was loaded failed later: Error: too late/)
  })

  it('reads TypeScript with JSX', async () => {
    const { code, out } = await run('asyncapi', 'view.tsx')
    expect(code).to.equal(0)
    expect(JSON.parse(out).operations).to.have.keys('hello')
  })

  describe('asyncapi', () => {
    it('writes the document of a contract in TypeScript to the standard output, and nothing else', async () => {
      const { code, out, error } = await run(
        'asyncapi',
        'contract.ts',
        '--title',
        'Shop',
        '--version',
        '2.0.0',
      )
      expect({ code, error }).to.deep.equal({ code: 0, error: 'noise\ndirect\n' })
      const document = JSON.parse(out)
      expect(document.info).to.deep.equal({ title: 'Shop', version: '2.0.0' })
      expect(document.components.schemas['hello.input']).to.deep.equal({ type: 'string', enum: ['a'] })
      expect(out).to.match(/^\{\n {2}"asyncapi"[\s\S]*\}\n$/)
    })

    it('names the API where no title is given', async () => {
      const { out } = await run(
        'asyncapi',
        'contract.ts',
        '--description',
        'It sells',
        '--url',
        'wss://x.com/s',
      )
      const { info, servers } = JSON.parse(out)
      expect(info).to.deep.equal({ title: 'TokenSocket API', version: '1.0.0', description: 'It sells' })
      expect(servers.default).to.deep.equal({ host: 'x.com', protocol: 'wss', pathname: '/s' })
    })

    it('writes to a file', async () => {
      const { code, out, error } = await run('asyncapi', 'contract.ts', '--out', 'made.json')
      expect({ code, out }).to.deep.equal({ code: 0, out: '' })
      expect(error).to.include('token-socket: wrote made.json')
      expect(JSON.parse(await readFile(join(folder, 'made.json'), 'utf8')).asyncapi).to.equal('3.0.0')
    })

    it('takes an export by name', async () => {
      const { code, out } = await run('asyncapi', 'shop.mts', '--export', 'shop')
      expect(code).to.equal(0)
      expect(JSON.parse(out).operations).to.have.keys('buy')
    })

    it('takes the default export, and JavaScript of both kinds', async () => {
      expect(JSON.parse((await run('asyncapi', 'default.js')).out).operations).to.have.keys('tell')
      expect(JSON.parse((await run('asyncapi', 'common.cjs')).out).operations).to.deep.equal({})
    })

    it('describes schemas of Valibot', async () => {
      const { out, error } = await run('asyncapi', 'valibot.ts')
      expect(error).to.equal('')
      expect(JSON.parse(out).components.schemas['buy.input']).to.deep.equal({ type: 'string' })
    })

    it('describes schemas of Valibot wherever they are', async () => {
      const channel = await runHere(folder, ['asyncapi', 'valibot-channel.ts'])
      expect(channel.error).to.equal('')
      expect(Object.values(JSON.parse(channel.out).components.schemas)).to.have.length(2)
      const { out } = await runHere(folder, ['asyncapi', 'valibot-error.ts'])
      expect(Object.values(JSON.parse(out).components.schemas)).to.deep.include({
        type: 'object',
        properties: { left: { type: 'number' } },
        required: ['left'],
      })
    })

    it('warns of open payloads', async () => {
      const { code, error } = await run('asyncapi', 'open.ts')
      expect(code).to.equal(0)
      expect(error).to.match(/^token-socket: warning: buy \(input\) has an open payload: /)
    })

    it('ends, even where the contract’s file keeps a timer', async () => {
      expect((await run('asyncapi', 'stays.ts')).code).to.equal(0)
    })
  })

  describe('contract', () => {
    it('writes a contract, and its warnings elsewhere', async () => {
      const { code, out, error } = await run('contract', 'model.yaml')
      expect(code).to.equal(0)
      expect(out).to.equal(await fromAsyncApi(FILES['model.yaml'], { onWarning: () => undefined }))
      expect(error).to.match(/^token-socket: warning: .*the keyword "nullable" is unknown/)
    })

    it('writes to a file, which the other command takes', async () => {
      expect((await run('contract', 'model.yaml', '--out', 'made.ts')).code).to.equal(0)
      const { code, out } = await run('asyncapi', 'made.ts')
      expect(code).to.equal(0)
      expect(JSON.parse(out).components.schemas['buy.input']).to.deep.equal({ type: 'string' })
    })
  })

  describe('names the packages that a task needs', () => {
    const tasks: Readonly<Record<string, readonly [args: readonly string[], packages: readonly string[]]>> = {
      'a contract in TypeScript': [['asyncapi', 'contract.ts'], ['jiti']],
      'a contract that is generated': [['contract', 'model.json'], ['json-schema-to-typescript']],
      'a model in YAML': [['contract', 'model.yaml'], ['js-yaml']],
    }
    for (const [task, [args, packages]] of Object.entries(tasks))
      it(task, async () => {
        const { code, out, error } = await runIn(folder, args, packages)
        expect([code, out]).to.deep.equal([1, ''])
        expect(error).to.match(/^token-socket: The packages? /)
        expect(
          error
            .replace(/^.*npm install -D /s, '')
            .trim()
            .split(' '),
        ).to.have.members(packages)
        expect(error).to.not.match(/\n {4}at /)
      })

    it('schemas of Valibot, whose payloads stay open', async () => {
      const { code, out, error } = await runIn(
        folder,
        ['asyncapi', 'valibot.ts'],
        ['@valibot/to-json-schema'],
      )
      expect(code).to.equal(0)
      expect(error).to.include('npm install -D @valibot/to-json-schema')
      expect(JSON.parse(out).components?.schemas ?? {}).to.deep.equal({})
    })
  })

  const WRONG: Readonly<Record<string, readonly [args: readonly string[], code: number, error: RegExp]>> = {
    'no command': [[], 2, /a command is needed: asyncapi or contract\nTry token-socket --help/],
    'an unknown command': [['make'], 2, /unknown command make: use asyncapi or contract/],
    'an unknown option': [['asyncapi', 'contract.ts', '--titel=x'], 2, /Unknown option '--titel'/],
    'an option of the other command': [
      ['contract', 'model.yaml', '--title=x'],
      2,
      /Unknown option '--title'/,
    ],
    'an option without its value': [['asyncapi', 'contract.ts', '--title'], 2, /--title/],
    'no file': [['contract'], 2, /contract needs a file/],
    'two files': [['contract', 'model.yaml', 'b'], 2, /contract takes one file, not also b/],
    'a contract that is missing': [['asyncapi', 'none.ts'], 1, /none\.ts: there is no such file/],
    'a model that is missing': [['contract', 'none.json'], 1, /none\.json: there is no such file/],
    'a model that is a folder': [['contract', '.'], 1, /^token-socket: .*: EISDIR/],
    'an export that is missing': [
      ['asyncapi', 'shop.mts'],
      1,
      /shop\.mts: it has no export contract; it exports shop\. Name it with --export/,
    ],
    'an export that is no contract': [['asyncapi', 'wrong.ts'], 1, /its export contract is no contract/],
    'a file that throws': [['asyncapi', 'broken.ts'], 1, /broken\.ts: it can’t be loaded: it is broken/],
    'a file that is no TypeScript': [['asyncapi', 'syntax.ts'], 1, /syntax\.ts: it can’t be loaded: /],
    'a model of another version': [
      ['contract', 'old.json'],
      1,
      /old\.json: the document \(#\): it is of AsyncAPI "2/,
    ],
    'a model that is no model': [
      ['contract', 'contract.ts'],
      1,
      /contract\.ts: the document \(#\): it is no JSON/,
    ],
    'a file that can’t be written': [
      ['contract', 'model.yaml', '--out', 'none/made.ts'],
      1,
      /none\/made\.ts: it can’t be written: ENOENT/,
    ],
    'an address that is none': [
      ['asyncapi', 'contract.ts', '--url=x'],
      1,
      /Invalid option: url has to be an address such as/,
    ],
  }

  for (const [name, [args, code, error]] of Object.entries(WRONG)) {
    it(`ends with ${code} for ${name}`, async () => {
      const ran = await runHere(folder, args)
      expect(ran).to.include({ code, out: '' })
      expect(ran.error).to.match(error)
      expect(ran.error).to.not.match(/\n {4}at /)
    })
  }

  it('does what the document says', async () => {
    const text = await readFile(join(root, 'docs', 'CONTRACT.md'), 'utf8')
    const commands = [...text.matchAll(/^npx token-socket (.*)$/gm)].map(([, command = '']) =>
      command.split(' '),
    )
    expect(commands).to.have.length(2)
    for (const args of commands) expect(await runHere(folder, args)).to.include({ code: 0 })
  })

  it('ends its process with the code', async () => {
    expect((await run()).code).to.equal(2)
    expect((await run('contract', 'none.json')).code).to.equal(1)
  })

  it('fails where a contract’s file waits for what never comes', async () => {
    const { code, error } = await run('asyncapi', 'waits.ts')
    expect(code).to.equal(1)
    expect(error).to.equal('token-socket: a file that was loaded waits for what never comes\n')
  })
})
