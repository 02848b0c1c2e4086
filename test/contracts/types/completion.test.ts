/** What an editor offers while a call is being typed: the compiler's own language server is asked. */
import { expect } from 'chai'
import { LanguageServer } from './language-server.js'

const FILE = new URL('completion-draft.ts', import.meta.url).pathname

/** Code as it is while somebody types: unfinished. */
const DRAFT = `
import type { ContractClient } from '@token-socket/contract/client'
import { TokenSocket } from '@token-socket/client'
import type { Example } from './example.js'
declare const client: ContractClient<Example>
const controller = { a: { b: { c: { deep: () => 1 } } } }
const socket = new TokenSocket<typeof controller>()
export const names = () => client.
export const depth = () => client.a.b.c.
export const field = () => client.a.b.c.deep({ x: 1, /* here */ })
export const event = () => client.channel('room-{id}', { id: 7 }).bind('')
export const rpc = () => socket.rpc('')
`

describe('completion', function () {
  this.timeout(60_000)
  let server: LanguageServer

  before(async () => {
    server = new LanguageServer()
    await server.initialize()
    server.open(FILE, DRAFT)
  })

  after(() => server.close())

  const offered = (after: string) => server.completions(FILE, DRAFT, after)

  it('offers the operations, the listeners and the client’s own members', async () => {
    const names = await offered('names = () => client.')
    expect(names).to.include.members([
      'sayHello',
      'a',
      'onSendGreeting',
      'channel',
      'handle',
      '$withReconnect',
    ])
    expect(names).not.to.include.members(['ask', 'onAsk', 'then'])
  })

  it('offers the operation at depth 4, and nothing else', async () => {
    expect(await offered('depth = () => client.a.b.c.')).to.deep.equal(['deep'])
  })

  it('offers the field of the input that is left, at depth 4', async () => {
    expect(await offered('deep({ x: 1, '))
      .to.include('y')
      .and.not.to.include('x')
  })

  it('offers a channel’s events', async () => {
    expect(await offered("bind('")).to.include.members(['say', 'clear'])
  })

  it('offers the names of a controller’s functions, at depth 4', async () => {
    expect(await offered("rpc('")).to.include('a.b.c.deep')
  })
})
