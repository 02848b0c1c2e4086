import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { Project } from './project.js'
import { Site } from './site.js'

const run = promisify(execFile)
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))

const CALLS = `
const socket = new TokenSocket({ host: process.argv[2] }, { double: (number) => number * 2 })
socket.ready().then(async () => {
  console.log(JSON.stringify(await socket.rpc('askBack', 21)))
  const error = await socket.rpc('nothing').catch((cause) => cause)
  console.log(error instanceof RpcError, error.code)
  await socket.end()
})
`

/** What users write, and what the compiler has to tell them. */
const USER = `
import { type Controller, RpcError, TokenSocket, type TokenSocketOptions } from '@token-socket/client'

const options: TokenSocketOptions = { host: 'example.com', transports: ['websocket'], ping: 1000 }
const actions: Controller = { double: (number: number) => number * 2, deep: { er: () => 'x' } }
const socket = new TokenSocket(options, actions)
socket.on('message', (channel, message) => {
  const name: string = channel
  // @ts-expect-error it can be anything
  const text: string = message
  return [name, text]
})
const sum: Promise<number> = socket.rpc<number>('add', { a: 1 }, { timeout: 10 })
socket.rpc('add', 1, (error, data) => {
  const code: string | undefined = error?.code
  return [code, data]
})
// @ts-expect-error there is no such event
socket.on('nothing', () => {})
// @ts-expect-error a port is a number
new TokenSocket({ port: '80' })
// @ts-expect-error there is no such transport
new TokenSocket({ transports: ['carrier pigeon'] })
export const outcome = [sum, new RpcError('code').data, TokenSocket.RpcError]
`

/** How projects resolve modules. */
const RESOLUTIONS = {
  'Node, as ESM': { file: 'user.mts', module: 'node16', moduleResolution: 'node16' },
  'Node, as CommonJS': { file: 'user.cts', module: 'node16', moduleResolution: 'node16' },
  'the newest Node': { file: 'user.mts', module: 'nodenext', moduleResolution: 'nodenext' },
  'a bundler': { file: 'user.ts', module: 'esnext', moduleResolution: 'bundler' },
}

describe('the client, installed', function () {
  this.timeout(60_000)
  let project: Project
  let site: Site

  before(async () => {
    project = await Project.create()
    site = new Site()
    await site.open()
  })

  after(async () => {
    await site.close()
    await project.remove()
  })

  for (const [way, file, statement] of [
    ['import', 'esm.mjs', "import { RpcError, TokenSocket } from '@token-socket/client'"],
    ['require', 'cjs.cjs', "const { RpcError, TokenSocket } = require('@token-socket/client')"],
  ] as const) {
    it(`connects and calls, got by ${way}, and lets Node end`, async () => {
      await project.write(file, statement + CALLS)
      const { stdout, stderr } = await run(process.execPath, [file, site.host], { cwd: project.folder })
      expect([stdout, stderr]).to.deep.equal(['{"doubled":42}\ntrue not_found\n', ''])
    })
  }

  for (const [how, { file, module, moduleResolution }] of Object.entries(RESOLUTIONS)) {
    it(`has types as ${how} finds them`, async () => {
      await project.write(file, USER)
      const compilerOptions = {
        strict: true,
        noEmit: true,
        target: 'es2022',
        lib: ['es2023', 'dom'],
        types: [],
      }
      const config = { compilerOptions: { ...compilerOptions, module, moduleResolution }, files: [file] }
      await project.write('tsconfig.json', JSON.stringify(config))
      const compiled = await run(process.execPath, [TSC, '--project', '.'], { cwd: project.folder }).catch(
        (error) => error,
      )
      expect(compiled.stdout).to.equal('')
    })
  }
})
