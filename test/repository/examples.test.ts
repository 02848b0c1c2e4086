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
}

const SETTINGS = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: { lib: ['es2023', 'dom'], types: ['node'], moduleDetection: 'force' },
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
        const compiler = join(root, 'node_modules/typescript/bin/tsc')
        const { stdout } = spawnSync(process.execPath, [compiler, '--project', folder], { encoding: 'utf8' })
        expect(stdout).to.equal('')
        expect(examples.length).to.be.above(20)
      } finally {
        rmSync(folder, { recursive: true })
      }
    })

  for (const [path, name] of CLASSES)
    it(`are on each public method of ${name}`, () => {
      const file = files.find((one) => one.name === path)
      if (!file) throw new Error(`there is no ${path}`)
      expect(withoutExample(file, name)).to.deep.equal([])
    })
})
