/** The TypeScript of the documents compiles as it stands there, as strictly as the compiler can. */
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { expect } from 'chai'
import { documents } from './links.js'

const root = new URL('../..', import.meta.url).pathname

/** What the examples take for granted, because a text or another example has introduced it. */
const SURROUNDINGS = `
import type { TokenSocket as Client, RpcError as ClientError } from '@token-socket/client'
import type { ChannelRuleTable as Rules, ServerController as Functions, TokenSocketServer as Sockets } from '@token-socket/server'
declare global {
  type JsonValue = unknown
  type ChannelRuleTable = Rules
  const RpcError: typeof ClientError
  const TokenSocketServer: typeof Sockets
  const app: import('express').Express
  const server: import('node:http').Server
  const signal: AbortSignal
  const socket: Client
  const sockets: Sockets
  const socketController: Functions
  function lookAtTheOrder(id: number): Promise<void>
}
`

/** What the examples of a document take for granted besides. */
const OWN_SURROUNDINGS: Readonly<Record<string, string>> = {
  // Its first example is the contract of the others.
  'CONTRACT.md': `
import type { ContractClient, safe as Safe } from '@token-socket/contract/client'
import type { contract as Contract } from './block-1.js'
declare global {
  const contract: typeof Contract
  const client: ContractClient<typeof Contract>
  const safe: typeof Safe
}
`,
}

const SETTINGS = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    lib: ['es2023', 'dom'],
    types: ['node'],
    moduleDetection: 'force',
  },
  include: ['*.ts'],
}

/** The blocks of a document that are marked as TypeScript. The frames of the protocol name one another. */
async function blocksOf(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8')
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code)
  return file.endsWith('PROTOCOL.md') ? [blocks.join('\n')] : blocks
}

/** The documents that have such blocks. */
async function documentsWithTypes(): Promise<
  readonly (readonly [file: string, blocks: readonly string[]])[]
> {
  const names = documents().filter((name) => !name.startsWith('docs/reference/api/'))
  const files = names.map((name) => join(root, name))
  const all = await Promise.all(files.map(async (file) => [file, await blocksOf(file)] as const))
  return all.filter(([, blocks]) => blocks.length > 0)
}

const DOCUMENTS = await documentsWithTypes()

describe('the TypeScript of the documents', function () {
  this.timeout(60_000)
  let folder: string

  before(async () => {
    await mkdir(join(root, '.cache'), { recursive: true })
    folder = await mkdtemp(join(root, '.cache', 'documents-'))
  })

  after(() => rm(folder, { recursive: true }))

  for (const [file, blocks] of DOCUMENTS)
    it(`of ${relative(root, file)} compiles`, async () => {
      const project = join(folder, basename(file, '.md'))
      await mkdir(project)
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify(SETTINGS))
      await writeFile(join(project, 'surroundings.d.ts'), SURROUNDINGS)
      await writeFile(join(project, 'own-surroundings.d.ts'), OWN_SURROUNDINGS[basename(file)] ?? '')
      for (const [index, code] of blocks.entries())
        await writeFile(join(project, `block-${index + 1}.ts`), code)
      const compiler = join(root, 'node_modules/typescript/bin/tsc')
      const { stdout } = spawnSync(process.execPath, [compiler, '--project', project], { encoding: 'utf8' })
      expect(stdout).to.equal('')
    })

  it('is in the documents that have some', () => {
    const names = DOCUMENTS.map(([file]) => basename(file))
    expect(names).to.include.members(['server.md', 'client.md', 'ERRORS.md', 'GRANTS.md', 'PROTOCOL.md'])
  })
})
