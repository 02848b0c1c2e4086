/** A program that uses every entry of the contract, as users write it in each kind of module. */

/** The names that the program uses, by the module that exports them. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'node:http': ['createServer'],
  '@token-socket/client': ['RpcError'],
  '@token-socket/server': ['TokenSocketServer'],
  '@token-socket/contract': ['defineContract', 'procedure'],
  '@token-socket/contract/client': ['connect', 'safe'],
  '@token-socket/contract/server': ['implement', 'typed'],
  '@token-socket/contract/mock': ['mockClient', 'mockServer'],
  '@token-socket/contract/asyncapi': ['fromAsyncApi', 'toAsyncApi'],
  zod: ['z'],
}

const BODY = `
const contract = defineContract({
  server: {
    buy: procedure({
      input: z.object({ item: z.string() }),
      output: z.object({ order: z.number() }),
      errors: { sold_out: z.object({ left: z.number() }) },
    }),
  },
  client: { confirm: procedure({ input: z.string(), output: z.boolean() }) },
  channels: { 'room-{id}': { events: { say: z.string() } } },
})

const socketController = implement(contract, {
  async buy({ item }, { client, errors }) {
    if (item === 'book') throw errors.sold_out({ left: 0 })
    return { order: (await client.confirm(item)) ? 1 : 0 }
  },
})

async function overTheNetwork() {
  const app = express()
  const server = createServer(app)
  const authentication = async () => ({ uid: 'ann' })
  const sockets = new TokenSocketServer({ app, server, secret: 'x'.repeat(32), authentication, socketController })
  const own = typed(sockets, contract)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = Object(server.address())
  const client = await connect(contract, { url: 'ws://127.0.0.1:' + port })
  client.handle({ confirm: (item) => item === 'tea' })
  const [error] = await safe(client.buy({ item: 'book' }))
  const room = client.channel('room-{id}', { id: 7 })
  const said = new Promise<string>((resolve) => room.bind('say', ({ data }) => resolve(data)))
  await new Promise<void>((resolve) => room.on('subscribed', () => resolve()))
  await own.publish('room-{id}', { id: 7 }, 'say', 'hello')
  const wrong = await safe(client.buy({ item: 7 as never }))
  const found = [
    await client.buy({ item: 'tea' }),
    error instanceof RpcError && error.code === 'sold_out' && error.data,
    await said,
    wrong[0]?.code,
  ]
  await client.$socket.end()
  await sockets.shutdown()
  server.close()
  return found
}

async function withAMock() {
  const mock = mockServer(contract, { seed: 1 })
  const { url } = await mock.listen()
  const client = await connect(contract, { url: url.replace('http', 'ws') })
  const { order } = await client.buy({ item: 'tea' })
  await client.$socket.end()
  const inMemory = await mock.connect()
  const { order: again } = await inMemory.buy({ item: 'tea' })
  await mock.close()
  return [typeof order, typeof again, typeof mockClient]
}

async function asAModel() {
  const document = toAsyncApi(contract, { title: 'Shop', version: '1.0.0' })
  const text = await fromAsyncApi(document)
  return [document.asyncapi, text.includes('defineContract'), text.includes('sold_out')]
}

async function main() {
  console.log(JSON.stringify([await overTheNetwork(), await withAMock(), await asAModel()]))
}
main()
`

/** What the program writes. */
export const OUTPUT = [
  [{ order: 1 }, { left: 0 }, 'hello', 'invalid_input'],
  ['number', 'number', 'function'],
  ['3.0.0', true, true],
]

/** The program in TypeScript, for any kind of module. */
export function typescriptProgram(): string {
  const imports = Object.entries(NAMES).map(
    ([from, names]) => `import { ${names.join(', ')} } from '${from}'`,
  )
  return `import express from 'express'\n${imports.join('\n')}\n${BODY}`
}

/** The program in JavaScript: what Node runs. @param way by which it gets modules */
export function javascriptProgram(way: 'import' | 'require'): string {
  const body = BODY.replaceAll(/<(void|string)>|as never/g, '')
  if (way === 'import') return typescriptProgram().replace(BODY, () => body)
  const requires = Object.entries(NAMES).map(
    ([from, names]) => `const { ${names.join(', ')} } = require('${from}')`,
  )
  return `const express = require('express')\n${requires.join('\n')}\n${body}`
}
