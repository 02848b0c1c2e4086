import { defineContract, procedure } from '@token-socket/contract'
import { mockClient, mockServer } from '@token-socket/contract/mock'
import { expect } from 'chai'
import { z } from 'zod'
import { rejection } from '../end-to-end/fixture.js'

const contract = defineContract({
  server: { note: procedure({ input: z.string() }) },
  client: {
    ask: procedure({ input: z.string(), output: z.string() }),
    tell: procedure({ input: z.string() }),
  },
})

describe('what ends with a mock', () => {
  it('is what waits at #reset: the next message goes to the next that waits', async () => {
    const mock = mockServer(contract)
    const client = await mock.connect()
    const before = mock.next('note')
    mock.reset()
    expect((await rejection(before)).code).to.equal('ended')
    const after = mock.next('note')
    await client.note('first')
    expect(await after).to.equal('first')
    mock.reset()
    const untaken = mock.next('note')
    await client.note('second')
    expect(await untaken).to.equal('second')
    await client.note('forgotten')
    await client.$socket.rpc('note', 'forgotten, too')
    mock.reset()
    const last = mock.next('note')
    await client.note('last')
    expect(await last).to.equal('last')
    await mock.close()
  })

  it('are calls of a client that has gone: they fail at once, as those of a server do', async () => {
    const mock = mockServer(contract)
    const client = await mock.connect()
    const gone = mock.client
    await client.$socket.end()
    expect((await rejection(gone.ask('x'))).code).to.equal('connection_lost')
    expect((await rejection(gone.tell('x'))).code).to.equal('connection_lost')
    await mock.close()
  })

  it('is the socket of a mock client’s #connect', async () => {
    const server = mockServer(contract)
    const { url } = await server.listen()
    const mock = mockClient(contract)
    const client = await mock.connect({ url, logLevel: 'none' })
    await mock.close()
    expect(client.$socket.state).to.equal('ended')
    expect((await rejection(client.note('x'))).code).to.equal('ended')
    await server.close()
  })
})
