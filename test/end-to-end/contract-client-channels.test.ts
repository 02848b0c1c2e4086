/** The channels of a contract's client, with real servers. */
import { defineContract, procedure, type } from '@token-socket/contract'
import { connect, typed } from '@token-socket/contract/client'
import type { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { z } from 'zod'
import { rejection, type Site, turn, until, useSites } from './fixture.js'

const say = z.object({ text: z.string().transform((text) => text.trim()) })
const contract = defineContract({
  channels: {
    'room-{id}': { events: { say, typing: type<undefined>() }, presence: z.object({ name: z.string() }) },
    lobby: { events: { news: z.string() } },
  },
})

describe('a channel of a contract’s client', () => {
  const start = useSites()
  let site: Site

  beforeEach(async () => {
    site = await start({
      channels: {
        '*': { subscribe: true, publish: true, presence: true, history: { size: 100, ttl: 60_000 } },
      },
      authentication: ({ query }: { query: { name?: string } }) => ({
        uid: query.name ?? 'ann',
        umd: query.name === 'nameless' ? {} : { name: query.name ?? 'ann' },
      }),
    })
  })

  function open(name = 'ann') {
    return typed(site.client({ authentication: { name }, logLevel: 'none' }), contract, { checkSent: true })
  }

  it('hears events as their schemas take them, and sends', async () => {
    const room = open().channel('room-{id}', { id: 7 })
    const heard: unknown[] = []
    const texts: string[] = []
    room.bind('say', ({ event, data, meta }) => {
      heard.push([event, data.text, meta?.uid])
      texts.push(data.text)
    })
    room.bind('typing', ({ event }) => heard.push(event))
    const sender = open('bob').channel('room-{id}', { id: '7' })
    expect(sender.name).to.equal('room-7')
    expect(await sender.send('say', { text: ' hello ' })).to.have.property('id')
    await sender.send('typing')
    await until(() => heard.length === 2)
    expect(heard).to.deep.equal([['say', 'hello', 'bob'], 'typing'])
    expect(texts).to.deep.equal(['hello'])
  })

  it('needs no parameters where its pattern has none', async () => {
    const lobby = open().channel('lobby')
    const heard: string[] = []
    lobby.bind('news', ({ data }) => heard.push(data))
    await lobby.send('news', 'good')
    await until(() => heard.length)
  })

  it('is the same object for a name until it is released', async () => {
    const client = open()
    const room = client.channel('room-{id}', { id: 1 })
    const heard: unknown[] = []
    room.bind('say', (message) => heard.push(message))
    expect(client.channel('room-{id}', { id: '1' })).to.equal(room)
    await until(() => client.$socket.channels().includes('room-1'))
    room.release()
    expect(client.$socket.channels()).to.deep.equal([])
    expect(client.channel('room-{id}', { id: 1 })).to.not.equal(room)
  })

  it('refuses patterns, parameters and events that it does not have', async () => {
    const client = open()
    const find = client.channel as (pattern: string, parameters?: object) => unknown
    for (const [pattern, parameters] of [
      ['room-{id}'],
      ['room-{id}', { id: '' }],
      ['none'],
      ['toString'],
    ] as const)
      expect(() => find(pattern, parameters))
        .to.throw()
        .with.property('code', 'bad_message')
    const room = client.channel('room-{id}', { id: 1 })
    for (const event of ['none', 'toString', '__proto__']) {
      expect(() => room.bind(event as 'say', () => {}))
        .to.throw()
        .with.property('code', 'bad_option')
      expect((await rejection(room.send(event as 'say', { text: '' }))).code).to.equal('bad_option')
    }
  })

  it('does not send what the schema refuses', async () => {
    const client = open()
    await client.$socket.subscribe('room-1')
    const room = client.channel('room-{id}', { id: 1 })
    const error = await rejection(room.send('say', { text: 5 as never }))
    expect(error.code).to.equal('invalid_input')
    expect(error.data).to.deep.include({ channel: 'room-1', event: 'say' })
    await room.send('say', { text: 'right' })
    expect(await room.history()).to.have.length(1)
  })

  it('does not deliver what the schema refuses: `$onError` gets it, once', async () => {
    const client = open()
    const errors: RpcError[] = []
    client.$onError((error) => errors.push(error))
    const room = client.channel('room-{id}', { id: 1 })
    const heard: unknown[] = []
    room.bind('say', (message) => heard.push(message))
    room.bind('say', (message) => heard.push(message))
    await until(() => client.$socket.channels().includes('room-1'))
    await client.$socket.publish('room-1', { text: 5 }, { event: 'say' })
    await client.$socket.publish('room-1', 'no event')
    await client.$socket.publish('room-1', {}, { event: 'toString' })
    await room.send('say', { text: 'right' })
    await until(() => heard.length === 2)
    expect(errors).to.have.length(1)
    expect(errors[0]).to.include({ code: 'invalid_input' })
    expect(errors[0]?.data).to.deep.include({ channel: 'room-1', event: 'say' })
  })

  it('hears nothing further after the undo of `bind`, which unsubscribes with the last', async () => {
    const client = open()
    const room = client.channel('room-{id}', { id: 1 })
    const heard: string[] = []
    const undo = room.bind('say', () => heard.push('first'))
    const undoOther = room.bind('say', () => heard.push('other'))
    await room.send('say', { text: 'a' })
    await until(() => heard.length === 2)
    undo()
    await room.send('say', { text: 'b' })
    await until(() => heard.length === 3)
    expect(heard).to.deep.equal(['first', 'other', 'other'])
    undoOther()
    expect(client.$socket.channels()).to.deep.equal([])
  })

  it('delivers in the order of the messages, also where a schema is asynchronous', async () => {
    let releaseFirst = () => {}
    const waits = new Promise<void>((resolve) => {
      releaseFirst = resolve
    })
    const text = z.string().refine(async (value) => {
      if (value === 'first') await waits
      return true
    })
    const slow = defineContract({ channels: { lobby: { events: { say: text, ping: type<number>() } } } })
    const lobby = typed(site.client(), slow, { checkSent: false }).channel('lobby')
    const heard: unknown[] = []
    lobby.bind('say', ({ data }) => heard.push(data))
    lobby.bind('ping', ({ data }) => heard.push(data))
    for (const word of ['first', 'second']) await lobby.send('say', word)
    await lobby.send('ping', 3)
    await turn()
    expect(heard).to.deep.equal([])
    releaseFirst()
    await until(() => heard.length === 3)
    expect(heard).to.deep.equal(['first', 'second', 3])
  })

  it('tells of members as the presence’s schema takes them', async () => {
    const client = open()
    const errors: string[] = []
    client.$onError(({ code }) => errors.push(code))
    const room = client.channel('room-{id}', { id: 1 })
    const heard: unknown[] = []
    for (const event of ['joined', 'left', 'updated'] as const)
      room.on(event, ({ uid, umd }) => heard.push([event, uid, umd.name]))
    room.bind('say', () => {})
    await until(() => room.members.length === 1)
    expect(room.uid).to.equal('ann')
    const bob = open('bob')
    bob.channel('room-{id}', { id: 1 }).bind('say', () => {})
    await until(() => heard.length === 1)
    open('nameless')
      .channel('room-{id}', { id: 1 })
      .bind('say', () => {})
    await until(() => errors.length)
    expect(errors).to.deep.equal(['invalid_input'])
    expect(room.members.map(({ umd: { name } }) => name)).to.have.members(['ann', 'bob'])
    await bob.$socket.end()
    await until(() => heard.length === 2)
    expect(heard).to.deep.equal([
      ['joined', 'bob', 'bob'],
      ['left', 'bob', 'bob'],
    ])
  })

  it('names the member, and that it is about presence, where the schema refuses what others see', async () => {
    const client = open('nameless')
    const errors: RpcError[] = []
    client.$onError((error) => errors.push(error))
    const room = client.channel('room-{id}', { id: 1 })
    room.bind('say', () => {})
    await until(() => room.uid && room.members && errors.length)
    expect(errors[0]?.message).to.match(/^Invalid input: room-1: presence of nameless: name: /)
    const data = Object(errors[0]?.data)
    expect(data).to.include({ channel: 'room-1', uid: 'nameless' }).and.not.have.property('event')
    expect(data.issues).to.have.length(1)
  })

  it('tells of its own events until the undo', async () => {
    const client = open()
    const room = client.channel('room-{id}', { id: 1 })
    const heard: unknown[] = []
    const undo = room.on('unsubscribed', ({ reason }) => heard.push(reason))
    const undoOther = room.on('subscribed', () => heard.push('subscribed'))
    room.bind('say', () => {})
    await until(() => heard.length === 1)
    undo()
    undoOther()
    await room.send('say', { text: '' })
    room.release()
    expect(heard).to.deep.equal(['subscribed'])
  })

  describe('#history', () => {
    it('gives pages without what the schemas refuse, which `$onError` gets; an empty one is the end', async () => {
      const client = open()
      const errors: string[] = []
      client.$onError(({ code }) => errors.push(code))
      await client.$socket.subscribe('room-1')
      const room = client.channel('room-{id}', { id: 1 })
      await client.$socket.publish('room-1', 1)
      await client.$socket.publish('room-1', { text: 5 }, { event: 'say' })
      await room.send('say', { text: ' a ' })
      await room.send('typing')
      const [first] = await room.history({ limit: 1 })
      expect(first).to.deep.include({ event: 'say', data: { text: 'a' } })
      const second = await room.history({ after: String(first?.id) })
      expect(second.map(({ event }) => event)).to.deep.equal(['typing'])
      expect(await room.history({ after: String(second[0]?.id) })).to.deep.equal([])
      expect((await room.history({ reverse: true })).map(({ event }) => event)).to.deep.equal([
        'typing',
        'say',
      ])
      expect(await room.history({ reverse: true, before: String(first?.id) })).to.deep.equal([])
      expect(errors[0]).to.equal('invalid_input')
    })

    it('reads ten pages that are all refused, and says where to go on', async () => {
      const client = open()
      client.$onError(() => {})
      const room = client.channel('room-{id}', { id: 1 })
      room.bind('say', () => {})
      await until(() => client.$socket.channels().includes('room-1'))
      for (let index = 0; index < 12; index += 1) await client.$socket.publish('room-1', index)
      await room.send('typing')
      const error = await rejection(room.history({ limit: 1 }))
      expect(error.code).to.equal('invalid_output')
      expect(error.data).to.have.property('channel', 'room-1')
      const { after } = error.data as { after: string }
      const [found] = await room.history({ limit: 1, after })
      expect(found?.event).to.equal('typing')
    })

    it('ends where a server repeats a page', async () => {
      const client = open()
      const socket = client.$socket
      let pages = 0
      socket.history = async () => {
        pages += 1
        return [{ channel: 'room-1', id: 'same', data: 1 } as never]
      }
      expect(await client.channel('room-{id}', { id: 1 }).history()).to.deep.equal([])
      expect(pages).to.equal(2)
    })

    it('fails as the socket’s does, and is no unhandled rejection', async () => {
      const client = open()
      client.channel('lobby').history({ limit: -1 })
      expect((await rejection(client.channel('lobby').history({ limit: -1 }))).code).to.equal('bad_message')
    })
  })

  it('has a token of its own', async () => {
    const client = open()
    const asked: string[] = []
    const token = ({ channel }: { channel: string }) => {
      asked.push(channel)
      return 'wrong'
    }
    const refused: string[] = []
    const room = client.channel('room-{id}', { id: 1 }, { token })
    room.on('refused', ({ code }) => refused.push(code))
    room.bind('say', () => {})
    await until(() => refused.length)
    expect(asked).to.deep.equal(['room-1'])
  })

  it('goes through a client that `connect` gave', async () => {
    const client = await connect(contract, { host: site.host, logLevel: 'none' })
    const heard: unknown[] = []
    client.channel('lobby').bind('news', ({ data }) => heard.push(data))
    await client.channel('lobby').send('news', 'new')
    await until(() => heard.length)
    await client.$socket.end()
  })
})

describe('a contract without channels', () => {
  it('has none', () => {
    const none = defineContract({ server: { a: procedure() } })
    const socket = { findAction: () => undefined, emit() {}, on() {}, notify() {}, onrestored() {} }
    const client = typed(socket as never, none)
    expect(() => (client.channel as (name: string) => unknown)('lobby')).to.throw('lobby')
  })
})
