import { expect } from 'chai'
import { EventEmitter } from 'eventemitter3'
import sinon from 'sinon'
import { SocketEvents } from '#server/channels/socket-events.js'
import { makeSocket } from './sockets.js'

const ENDED = { code: 1000, wasClean: true, duration: 5 }

describe('SocketEvents', () => {
  const failed = sinon.spy()
  let emitter: EventEmitter
  let events: SocketEvents
  let told: unknown[][]

  beforeEach(() => {
    failed.resetHistory()
    emitter = new EventEmitter()
    events = new SocketEvents({ emitter: emitter as never, failed })
    told = []
  })

  const listen = (...names: string[]) => {
    for (const name of names) emitter.on(name, (_socket, ...rest) => void told.push([name, ...rest]))
  }

  const listenToAll = () => listen('connected', 'subscribed', 'unsubscribed', 'published', 'disconnected')

  const letIn = () => {
    const made = makeSocket()
    events.connected(made.socket)
    return made
  }

  it('tells of other sockets, and lets in, whatever becomes of a failure', async () => {
    const unreported = new SocketEvents({
      emitter: emitter as never,
      failed: () => {
        throw new Error('the report failed')
      },
    })
    emitter.on('connected', () => {
      throw new Error('listener')
    })
    listenToAll()
    const { socket } = makeSocket()
    unreported.connected(socket)
    unreported.left(socket, 'a', 'client')
    await Promise.resolve()
    expect(told.map(([name]) => name)).to.deep.equal(['connected', 'unsubscribed'])
  })

  it('tells in the order in which things happen', async () => {
    listenToAll()
    const { socket } = letIn()
    expect(told).to.deep.equal([['connected']])
    events.begin(socket, 'a')()
    events.published(socket, { channel: 'a', data: 1, event: undefined, id: '1', offset: undefined })
    events.left(socket, 'a', 'client')
    events.disconnected(socket, 'client_closed', ENDED)
    await Promise.resolve()
    expect(told.slice(1)).to.deep.equal([
      ['subscribed', { channel: 'a' }],
      ['published', { channel: 'a', data: 1, event: undefined, id: '1', offset: undefined }],
      ['unsubscribed', { channel: 'a', reason: 'client' }],
      ['disconnected', 'client_closed', ENDED],
    ])
  })

  it('runs no listener while the library is at work, but those of `connected` before anything else', async () => {
    listenToAll()
    const { socket } = letIn()
    events.begin(socket, 'a')()
    expect(told).to.deep.equal([['connected']])
    letIn()
    expect(told.map(([name]) => name)).to.deep.equal(['connected', 'subscribed', 'connected'])
  })

  it('tells nothing of a subscription that ends before it is up to date', async () => {
    listenToAll()
    const { socket } = letIn()
    const ready = events.begin(socket, 'a')
    events.left(socket, 'a', 'failed')
    ready()
    await Promise.resolve()
    expect(told).to.deep.equal([['connected']])
  })

  it('tells of the second subscription when an earlier one was given up, once', async () => {
    listen('subscribed', 'unsubscribed')
    const { socket } = letIn()
    const first = events.begin(socket, 'a')
    events.left(socket, 'a', 'server')
    const second = events.begin(socket, 'a')
    first()
    await Promise.resolve()
    expect(told).to.deep.equal([])
    second()
    await Promise.resolve()
    expect(told).to.deep.equal([['subscribed', { channel: 'a' }]])
  })

  it('tells of subscriptions of before the sign-in after `connected`, and not of those that are over', async () => {
    listenToAll()
    const { socket } = makeSocket({ isJoining: true })
    events.begin(socket, 'a')()
    events.begin(socket, 'b')()
    const late = events.begin(socket, 'c')
    events.left(socket, 'b', 'server')
    await Promise.resolve()
    expect(told).to.deep.equal([])
    socket.open('1', { version: 1 } as never)
    events.connected(socket)
    expect(told).to.deep.equal([['connected'], ['subscribed', { channel: 'a' }]])
    late()
    await Promise.resolve()
    expect(told.at(-1)).to.deep.equal(['subscribed', { channel: 'c' }])
  })

  it('tells nothing of a socket that was refused', async () => {
    listenToAll()
    const { socket, client } = makeSocket({ isJoining: true })
    events.begin(socket, 'a')()
    client.close(1000, '')
    events.left(socket, 'a', 'disconnected')
    await Promise.resolve()
    expect(told).to.deep.equal([])
  })

  it('makes no subscription known of a socket that is gone', async () => {
    listenToAll()
    const { socket, client } = letIn()
    const ready = events.begin(socket, 'a')
    client.close(1000, '')
    ready()
    events.left(socket, 'a', 'disconnected')
    await Promise.resolve()
    expect(told).to.deep.equal([['connected']])
  })

  it('lets every listener hear in the same order, also of what a listener causes', async () => {
    const heard: string[][] = [[], []]
    for (const own of heard) {
      emitter.on('connected', () => own.push('connected'))
      emitter.on('disconnected', () => own.push('disconnected'))
    }
    emitter.on('connected', (socket) => events.disconnected(socket, 'closed_by_server', ENDED))
    letIn()
    expect(heard).to.deep.equal([
      ['connected', 'disconnected'],
      ['connected', 'disconnected'],
    ])
  })

  it('reports what a listener throws or rejects with; the others hear all the same', async () => {
    const cause = new Error('no')
    emitter.on('connected', () => {
      throw cause
    })
    emitter.on('connected', async () => Promise.reject(cause))
    listen('connected')
    const { socket } = letIn()
    await new Promise(setImmediate)
    expect(told).to.deep.equal([['connected']])
    const details = { event: 'connected', sid: socket.sid, uid: socket.uid }
    expect(failed.args).to.deep.equal([
      [cause, details],
      [cause, details],
    ])
  })

  it('calls a listener of `once` once, and the emitter is its `this`', async () => {
    const once = sinon.spy()
    emitter.once('connected', once)
    letIn()
    letIn()
    expect(once.callCount).to.equal(1)
    expect(once.firstCall.thisValue).to.equal(emitter)
  })

  it('hears says whether an event has listeners', () => {
    expect(events.hears('published')).to.equal(false)
    listen('published')
    expect(events.hears('published')).to.equal(true)
  })
})
