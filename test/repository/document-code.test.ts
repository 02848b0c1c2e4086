/** Each block of code of the documents is compiled, run by a test, or of a language that is listed with its reason. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import { type Block, blocksOf, isRun } from '../end-to-end/guide/guide-page.js'
import { documents } from './links.js'
import { root } from './source-file.js'

/** What the short examples take for granted: their document has introduced it, or a reader's program has it. */
const SURROUNDINGS = `
import type { IncomingMessage } from 'node:http'
import type { TokenSocket as Client } from '@token-socket/client'
import type { redisEngine as redis } from '@token-socket/redis'
import type { Engine } from '@token-socket/server/engine'
import type { TokenSocketServer as Sockets } from '@token-socket/server'
type Url = { readonly url?: string | URL }
declare global {
  namespace Express { interface Request { user?: object } }
  interface ImportMeta { readonly hot?: { accept(): void; dispose(listener: () => void): void } }
  const TokenSocket: typeof Client
  const TokenSocketServer: typeof Sockets
  const redisEngine: typeof redis
  const app: import('express').Express
  const server: import('node:http').Server
  const sockets: Sockets
  const socket: Client
  const engine: ReturnType<typeof redis>
  const ExampleEngine: new (limits: object) => Engine
  const store: Parameters<typeof import('@token-socket/sign-out').expressSession>[1]
  const cache: Map<unknown, unknown>
  const SECRETS: Map<string, string>
  const keyWasReplacedAt: number
  const token: { readonly jti: string }
  const idp: { getAccessToken(): Promise<string> }
  const url: string, secret: string, password: string, ca: string, id: string
  const issuer: string, audience: string, jwks: string
  function findUser(key: string): Promise<object>
  function freshKey(): Promise<string>
  function connectToken(user: object): string
  function signUrl(url: string | URL, key: object): Promise<string>
  function verifyUrl(request: IncomingMessage, keys: object): Promise<object>
  function tokenVerifier(settings: object): (token: string) => Promise<object>
  function add(message: unknown): void
  function ref(value: unknown): { value: unknown }
  function useEffect(effect: () => void | (() => void), inputs: readonly unknown[]): void
  const trustedTypes: { createPolicy(name: string, rules: { createScriptURL(url: string): string | null }): unknown }
}
declare module 'express-session' { interface SessionData { auth: { name: unknown } } }
`

/** The modules of a reader's own that the short examples import. */
const MODULES: Readonly<Record<string, string>> = {
  'contract.ts':
    "import { defineContract } from '@token-socket/contract'\nexport const contract = defineContract({})",
  'my-engine.ts':
    "import { MemoryEngine } from '@token-socket/server/engine'\nexport class MyEngine extends MemoryEngine {}",
}

const SETTINGS = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: ['node', 'mocha'],
    moduleDetection: 'force',
    allowJs: true,
    checkJs: true,
    // JavaScript has no place for the types of its parameters.
    strict: false,
    exactOptionalPropertyTypes: false,
  },
  include: ['*'],
}

const isShort = ({ language, title }: Block) => language === 'js' && title === ''

const DOCUMENTS = documents()
  .filter((path) => !/^docs\/(guide|reference\/api)\//.test(path))
  .map((path) => ({ path, blocks: blocksOf(readFileSync(join(root, path), 'utf8')) }))
  .filter(({ blocks }) => blocks.length > 0)

describe('the JavaScript of the documents', function () {
  this.timeout(60_000)
  let folder: string
  let output: string

  before(() => {
    mkdirSync(join(root, '.cache'), { recursive: true })
    folder = mkdtempSync(join(root, '.cache', 'javascript-'))
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(SETTINGS))
    writeFileSync(join(folder, 'surroundings.d.ts'), SURROUNDINGS)
    for (const [name, code] of Object.entries(MODULES)) writeFileSync(join(folder, name), code)
    for (const { path, blocks } of DOCUMENTS)
      for (const [index, { code }] of blocks.filter(isShort).entries())
        writeFileSync(join(folder, `${path.replaceAll('/', '-')}-${index + 1}.js`), code)
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [compiler, '--project', folder], {
      cwd: root,
      encoding: 'utf8',
    })
    output = stdout
      .split('\n')
      .filter((line) => line.startsWith('.cache/'))
      .join('\n')
  })

  after(() => rmSync(folder, { recursive: true }))

  it('compiles', () => {
    expect(output).to.equal('')
  })
})

/** Languages whose blocks no compiler takes, and what holds them to the truth. */
const NOT_COMPILED: Readonly<Record<string, string>> = {
  apache: 'test/end-to-end/proxies.test.ts runs it',
  caddyfile: 'not run: the tests have no Caddy',
  console: 'test/end-to-end/wscat.test.ts types it',
  diff: 'not run: test/interop runs applications of both packages',
  haproxy: 'test/end-to-end/proxies.test.ts runs it',
  html: 'test/browser/raw.test.ts and script-tag.test.ts load it',
  json: 'test/protocol/documents.test.ts and test/server/grants-document.test.ts read it',
  mermaid: 'pictures; tests read the tables beside them',
  nginx: 'test/end-to-end/proxies.test.ts runs it',
  sh: 'commands that install or start what the tests have installed and started',
  text: 'what a program prints, or how a frame is built',
  yaml: 'not run: the tests have no Traefik',
}

/** Sources of tests that read documents. */
const TESTS = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
  .map((path) => readFileSync(join(root, 'test', path), 'utf8'))

/** Whether the test of its page runs a block with a title, or a test names both the document and the block. */
function isTaken(path: string, block: Block, blocks: readonly Block[]): boolean {
  if (path.startsWith('docs/coming-from/')) return isRun(block, blocks)
  const name = basename(path)
  const stem = block.title.replace(/\.\w+$/, '')
  return TESTS.some((test) => test.includes(name.replace(/\.md$/, '')) && test.includes(stem))
}

describe('the blocks of the documents', () => {
  for (const { path, blocks } of DOCUMENTS)
    it(`of ${path} are compiled, run, or of a listed language`, () => {
      const left = blocks.filter((block) => {
        if (block.language === 'ts' || isShort(block)) return false
        return block.language === 'js' ? !isTaken(path, block, blocks) : !NOT_COMPILED[block.language]
      })
      expect(left.map(({ language, title }) => `${language} ${title}`)).to.deep.equal([])
    })
})
