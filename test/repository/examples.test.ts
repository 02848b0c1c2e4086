/** The examples of the doc comments compile as they stand there, and each public method has one. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  docCommentBefore,
  isNode,
  lineAt,
  type Node,
  nodesOf,
  readSources,
  root,
  type SourceFile,
} from './source-file.js'

/** What the examples of all packages take for granted. */
const GLOBALS = `
import type { Server as HttpServer } from 'node:http'
import type { Express } from 'express'
import type { Client as RedisClient } from 'redis'
declare global {
  const app: Express
  const server: HttpServer
}
`

/** What the examples of a package take for granted, in addition. */
const OWN: Readonly<Record<string, string>> = {
  client: `
import type { Channel as Ours, TokenSocket as Client } from '@token-socket/client'
declare global {
  const socket: Client
  const channel: Ours
}
`,
  server: `
import type { RpcError as Failure, ServerSocket, TokenSocketServer as Server } from '@token-socket/server'
declare global {
  const RpcError: typeof Failure
  const TokenSocketServer: typeof Server
  const socket: ServerSocket
  const sockets: Server
}
`,
  protocol: `
import type { TokenSocket } from '@token-socket/client'
import type { RpcError, retryOf as RetryOf } from '@token-socket/protocol'
declare global {
  const data: unknown
  const error: RpcError
  const retryOf: typeof RetryOf
  const socket: TokenSocket
}
`,
  contract: `
import type { readFile as Read, writeFile as Write } from 'node:fs/promises'
import type { TokenSocket as Socket } from '@token-socket/client'
import type * as Contracts from '@token-socket/contract'
import type * as Models from '@token-socket/contract/asyncapi'
import type * as Clients from '@token-socket/contract/client'
import type { jsonSchema as JsonSchema } from '@token-socket/contract/json-schema'
import type * as Mocks from '@token-socket/contract/mock'
import type * as Servers from '@token-socket/contract/server'
import type { TokenSocketServer as Server } from '@token-socket/server'
import type { z as Zod } from 'zod'
import type { shop } from './shop.js'
declare global {
  const z: typeof Zod
  const host: string
  const sockets: Server
  const TokenSocket: typeof Socket
  const TokenSocketServer: typeof Server
  const contract: typeof shop
  const client: Clients.ContractClient<typeof shop>
  const handlers: Servers.Handlers<typeof shop>
  const readFile: typeof Read
  const writeFile: typeof Write
  const { defineContract, procedure, type }: typeof Contracts
  const { fromAsyncApi, toAsyncApi }: typeof Models
  const { connect, connectCalls, safe, typedCalls }: typeof Clients
  const { implement }: typeof Servers
  const typed: typeof Clients.typed & typeof Servers.typed
  const jsonSchema: typeof JsonSchema
  const { mockClient, mockServer }: typeof Mocks
}
`,
  'engine-tests': `
import type { engineContract as EngineContract } from '@token-socket/engine-tests'
import type { MemoryEngine as Engine } from '@token-socket/server'
declare global {
  const MemoryEngine: typeof Engine
  const engineContract: typeof EngineContract
  function delay(ms: number): Promise<void>
}
`,
}

/** The contract that the examples of contracts are about. */
const SHOP = `
import { defineContract, procedure, type } from '@token-socket/contract'
import { z } from 'zod'
const order = z.object({ order: z.number() })
export const shop = defineContract({
  server: {
    sayHello: procedure({ input: z.object({ name: z.string() }), output: type<string>() }),
    buy: procedure({
      input: z.object({ item: z.string() }),
      output: order,
      errors: { sold_out: z.object({ left: z.number() }) },
    }),
  },
  client: {
    sendGreeting: procedure({ input: z.object({ greeting: z.string() }) }),
    confirm: procedure({ output: z.boolean() }),
    receipt: procedure({ input: order }),
  },
  channels: { 'room-{id}': { events: { say: z.object({ text: z.string() }) } } },
})
`

const SETTINGS = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: { lib: ['es2023', 'dom'], types: ['node', 'mocha'], moduleDetection: 'force' },
  include: ['*.ts'],
}

/** The classes whose public methods have examples. */
const CLASSES = [
  ['client/client', 'TokenSocket'],
  ['client/channels/channel', 'Channel'],
  ['server/server', 'TokenSocketServer'],
  ['server/server-connections', 'ServerConnections'],
  ['server/server-channels', 'ServerChannels'],
  ['server/cluster', 'Cluster'],
  ['server/cluster/cluster-orders', 'ClusterOrders'],
] as const

const files = readSources()

/** The examples of a file's comments, each with the line where its comment begins. */
function examplesOf({ text, comments }: SourceFile): readonly (readonly [line: number, code: string])[] {
  return comments.flatMap(({ value, start }) =>
    [...value.matchAll(/@example\n((?: *\* (?!@).*\n?| *\*\n)+)/g)].map(([, code = '']) => {
      const lines = code.split('\n').map((line) => line.replace(/^ *\* ?/, ''))
      return [lineAt(text, start), lines.join('\n')] as const
    }),
  )
}

/** The public methods of a class that have no example, overloads included. */
function withoutExample(file: SourceFile, name: string): string[] {
  const found = [...nodesOf(file.program)].find((node) => isClass(node, name))
  if (!found) throw new Error(`${file.name} has no class ${name}`)
  const { body } = found.body as { body: readonly Node[] }
  return body.filter(isPublicMethod).flatMap((node, index, methods) => {
    const method = nameOf(node)
    const comment = docCommentBefore(file, node.start) ?? ''
    const isImplementation = node.type === 'MethodDefinition' && nameOf(methods[index - 1]) === method
    return isImplementation || comment.includes('@internal') || comment.includes('@example') ? [] : [method]
  })
}

function isClass(node: Node, name: string): boolean {
  return node.type === 'ClassDeclaration' && isNode(node.id) && node.id.name === name
}

function nameOf(node: Node | undefined): string {
  return isNode(node?.key) ? String(node.key.name) : ''
}

function isPublicMethod(node: Node): boolean {
  const isMethod =
    ['MethodDefinition', 'TSAbstractMethodDefinition'].includes(node.type) && node.kind === 'method'
  const isPrivate = isNode(node.key) && node.key.type === 'PrivateIdentifier'
  return (
    isMethod &&
    !isPrivate &&
    !node.static &&
    ['public', undefined, null].includes(node.accessibility as never)
  )
}

describe('the examples of the comments', function () {
  this.timeout(60_000)

  for (const name of Object.keys(OWN))
    it(`of ${name} compile`, () => {
      mkdirSync(join(root, '.cache'), { recursive: true })
      const folder = mkdtempSync(join(root, '.cache', `examples-${name}-`))
      try {
        const examples = files
          .filter((file) => file.name.startsWith(`${name}/`))
          .flatMap((file) =>
            examplesOf(file).map(
              ([line, code]) => [`${file.name.replaceAll('/', '_')}_${line}.ts`, code] as const,
            ),
          )
        for (const [file, code] of examples) writeFileSync(join(folder, file), code)
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(SETTINGS))
        writeFileSync(join(folder, 'surroundings.d.ts'), GLOBALS)
        writeFileSync(join(folder, 'own-surroundings.d.ts'), OWN[name] ?? '')
        if (name === 'contract') writeFileSync(join(folder, 'shop.ts'), SHOP)
        const compiler = join(root, 'node_modules/typescript/bin/tsc')
        const { stdout } = spawnSync(process.execPath, [compiler, '--project', folder], { encoding: 'utf8' })
        expect(stdout).to.equal('')
        expect(examples).not.to.deep.equal([])
      } finally {
        rmSync(folder, { recursive: true })
      }
    })

  it('begin on a line of their own, in packages that compile them', () => {
    const marked = files.filter(({ comments }) => comments.some(({ value }) => /@example\b/.test(value)))
    for (const file of marked) {
      const marks = file.comments.flatMap(({ value }) => value.match(/^[* ]*@example\b/gm) ?? [])
      expect(examplesOf(file), file.name).to.have.lengthOf(marks.length)
      expect(Object.keys(OWN)).to.include(file.name.split('/')[0])
    }
    expect(marked.length).to.be.above(20)
  })

  for (const [path, name] of CLASSES)
    it(`are on each public method of ${name}`, () => {
      const file = files.find((one) => one.name === path)
      if (!file) throw new Error(`there is no ${path}`)
      expect(withoutExample(file, name)).to.deep.equal([])
    })
})
