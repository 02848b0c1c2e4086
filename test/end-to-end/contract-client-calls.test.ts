/** A client of a contract without its channels. */
import { defineContract, procedure } from '@token-socket/contract'
import { connectCalls, typedCalls } from '@token-socket/contract/client'
import { implement } from '@token-socket/contract/server'
import { expect } from 'chai'
import { z } from 'zod'
import { rejection, useSites } from './fixture.js'

const contract = defineContract({
  server: { double: procedure({ input: z.number(), output: z.number() }) },
  client: { greet: procedure({ input: z.string() }) },
  channels: { lobby: { events: { news: z.string() } } },
})

describe('a client of a contract without channels', () => {
  const start = useSites()
  const socketController = implement(contract, { double: (number) => number * 2 })

  it('calls, and hears what came while `connectCalls` resolved', async () => {
    const site = await start({ socketController })
    site.sockets.on('connected', (socket) => void socket.notify('greet', 'welcome'))
    const client = await connectCalls(contract, { url: site.url, logLevel: 'none' })
    const greeting = new Promise((resolve) => client.onGreet(resolve))
    expect(await greeting).to.equal('welcome')
    expect(await client.double(21)).to.equal(42)
    expect(client).to.not.have.property('channel')
    await client.$socket.end()
  })

  it('leaves nothing open where the sign-in is refused', async () => {
    const { url } = await start({ authentication: () => false })
    const error = await rejection(connectCalls(contract, { url, logLevel: 'none' }))
    expect(error.code).to.equal('token_refused')
  })

  it('goes over a socket that is there', async () => {
    const site = await start({ socketController })
    const client = typedCalls(site.client(), contract, { checkSent: true })
    expect(await client.double(2)).to.equal(4)
    expect((await rejection(client.double('x' as never))).code).to.equal('invalid_input')
    expect(client).to.not.have.property('channel')
  })
})
