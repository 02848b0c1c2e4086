/** A client of a contract as production builds of a page have it, which do not look for mistakes that a compiler finds. */
import { defineContract, procedure } from '@token-socket/contract'
import { type ConnectOptions, connect, typed } from '@token-socket/contract/client'
import { typed as typedServer } from '@token-socket/contract/server'
import { expect } from 'chai'
import { build } from 'esbuild'
import { z } from 'zod'
import { rejection, type Site, useSites } from './fixture.js'

const contract = defineContract({
  client: { ask: procedure({ output: z.string() }) },
  channels: { lobby: { events: { news: z.string() } } },
})

describe('a client of a contract in production', () => {
  const start = useSites()
  const { NODE_ENV } = process.env
  let site: Site

  beforeEach(async () => {
    site = await start()
    process.env.NODE_ENV = 'production'
  })

  afterEach(() => {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = NODE_ENV
  })

  it('takes functions that are not the contract’s, and never calls them', async () => {
    const { client: socket, socket: server } = await site.pair()
    const client = typed(socket, contract)
    const unhandle = client.handle({ none: () => 'none', odd: 5, deep: null } as object)
    expect((await rejection(server.rpc('none'))).code).to.equal('not_found')
    client.handle({ ask: () => 'first' })
    const unhandleSecond = client.handle({ ask: () => 'second' })
    expect(await server.rpc('ask')).to.equal('first')
    unhandle()
    unhandleSecond()
    expect(await server.rpc('ask')).to.equal('first')
  })

  it('takes an event that a channel does not have, which is never heard, and which the server refuses', async () => {
    typedServer(site.sockets, contract)
    const lobby = typed(site.client(), contract).channel('lobby')
    const heard: unknown[] = []
    for (const event of ['none', 'toString']) {
      lobby.bind(event as 'news', (message) => heard.push(message))
      expect((await rejection(lobby.send(event as 'news', 'x'))).code).to.equal('invalid_input')
      await site.sockets.publish('lobby', 'x', { event })
    }
    lobby.bind('news', ({ data }) => heard.push(data))
    const last = new Promise((resolve) => lobby.bind('news', resolve))
    await lobby.send('news', 'good')
    await last
    expect(heard).to.deep.equal(['good'])
  })

  it('signs in by nothing but what it is given', async () => {
    const wrong = [{ token: '' }, { session: 5 }, { session: null }]
    for (const authentication of wrong as unknown as readonly ConnectOptions['authentication'][]) {
      const error = await rejection(connect(contract, { url: site.url, authentication, logLevel: 'none' }))
      expect(error.code).to.equal('bad_option')
    }
  })

  it('has no texts about such mistakes in it', async () => {
    const contents = "import { connect } from '@token-socket/contract/client'; globalThis.connect = connect"
    const texts = async (mode: string) => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: import.meta.dirname },
        conditions: ['@token-socket/source', 'browser'],
        bundle: true,
        format: 'esm',
        minifySyntax: true,
        define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
        external: ['@token-socket/client'],
        write: false,
      })
      const text = String(outputFiles[0]?.text)
      return ['answered by one function only', 'given without host', '"event"'].filter((one) =>
        text.includes(one),
      )
    }
    expect(await texts('development')).to.have.length(3)
    expect(await texts('production')).to.deep.equal([])
  })
})
