import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { RpcError, TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { refusal } from './scripted-server.js'
import { errorOf, turn, until } from './waiting.js'
import { World } from './world.js'

describe('the advice of a development build', () => {
  let world: World
  let warn: sinon.SinonStub

  beforeEach(async () => {
    world = await World.create()
    warn = sinon.stub(console, 'warn')
  })

  afterEach(() => world.close())

  function open(options: object = {}): TokenSocket {
    const socket = new TokenSocket({ host: world.server.host, ...options } as TokenSocketOptions)
    world.sockets.push(socket)
    return socket
  }

  /** What was written so far. */
  const texts = (): string[] => warn.args.map(([text]) => String(text))

  /** Mistakes that need no connection, and what the warning names. */
  const mistakes: Readonly<Record<string, readonly [(socket: TokenSocket) => unknown, ...parts: string[]]>> =
    {
      'an event that is misspelt': [
        (socket) => socket.on('mesage' as never, () => {}),
        'no event "mesage" of a socket',
        'Did you mean "message"?',
      ],
      'an event of Socket.IO’s': [
        (socket) => socket.once('connect_error' as never, () => {}),
        'no event "connect_error"',
        '`state`',
      ],
      'an event that is the name of a channel': [
        (socket) => socket.addListener('room-7' as never, () => {}),
        'no event "room-7"',
        'socket.channel(name).bind(event, handler)',
        "'room-7'(data)",
      ],
      'an option of a call that is misspelt': [
        (socket) => socket.rpc('reports.year', 1, { timout: 5 } as never),
        'rpc("reports.year"): there is no option timout',
        'Did you mean timeout?',
      ],
      'an option of a notification, which has none': [
        (socket) => (socket.notify as (...args: unknown[]) => unknown)('seen', 1, { timeout: 5 }),
        'notify("seen"): there is no option timeout, so it is ignored.',
      ],
      'an option of publish that is misspelt': [
        (socket) => socket.publish('room', 1, { evnt: 'paid' } as never),
        'publish("room"): there is no option evnt',
        'Did you mean event?',
      ],
      'an option of ready that is misspelt': [
        (socket) => socket.ready({ timeOut: 500 } as never),
        'ready: there is no option timeOut',
        'Did you mean timeout?',
      ],
      'options in the place of the data': [
        (socket) => socket.rpc('reports.year', { timeout: 5000 }),
        'rpc("reports.year"): { timeout } is the data here',
        'options come after the data',
      ],
      'a callback beside options': [
        (socket) =>
          (socket.rpc as (...args: unknown[]) => unknown)('reports.year', 1, { timeout: 5 }, () => {}),
        'rpc("reports.year"): the callback beside options is never called',
        'use the promise',
      ],
      'emit of an unknown event': [
        (socket) => socket.emit('chat message' as never, ...(['hi'] as never)),
        'socket.emit("chat message") sends nothing',
        'socket.rpc("chat message", data)',
        'socket.publish(channel, data)',
      ],
      'emit of an event of the library’s': [
        (socket) => socket.emit('message', ...(['hi'] as unknown as ['', '', never])),
        'socket.emit("message") sends nothing',
      ],
      'an event of a channel that there is not': [
        (socket) => socket.channel('a').on('message' as never, () => {}),
        'no event "message" of a channel',
        "channel.bind('message', handler)",
      ],
      'a Map in the data of a call': [
        (socket) => socket.rpc('save', { items: [new Map()] }),
        'rpc("save"): data.items[0] is a Map',
        'Object.fromEntries',
      ],
      'NaN in a publication': [
        (socket) => socket.publish('a', Number.NaN),
        'publish("a"): data is NaN',
        'null',
      ],
      'bytes in a broadcast': [
        (socket) => socket.broadcast(new Uint8Array(1)),
        'broadcast: data is a Uint8Array',
        'base64',
      ],
      'a function in the data of a channel': [
        (socket) => socket.channel('a').send('event', { run() {} }),
        'publish("a"): data.run is a function',
      ],
    }
  for (const [mistake, [make, ...parts]] of Object.entries(mistakes)) {
    it(`names ${mistake}, once`, () => {
      const socket = open({ lazy: true })
      for (const _ of [1, 2]) make(socket)
      expect(texts()).to.have.length(1)
      for (const part of parts) expect(texts()[0]).to.include(part)
      expect(texts()[0]).to.match(/^TokenSocket: /)
    })
  }

  const options: Readonly<Record<string, readonly [object, text: string]>> = {
    'an option that is misspelt': [
      { socketprefix: '/x' },
      'There is no option socketprefix, so it is ignored. Did you mean socketPrefix?',
    ],
    'an option of Socket.IO’s': [{ reconnection: true }, 'Did you mean reconnect?'],
    'an option that is like none': [{ colour: 1 }, 'There is no option colour, so it is ignored.'],
    'data for the token route beside a token': [
      { authentication: { name: 'ann' }, token: 'x' },
      'The option authentication goes with requests to the token route.',
    ],
    'a limit that is misspelt': [{ limits: { callOut: 1 } }, 'no option limits.callOut'],
  }
  for (const [mistake, [given, text]] of Object.entries(options)) {
    it(`names ${mistake}`, () => {
      open({ lazy: true, ...given })
      expect(texts()).to.have.length(1)
      expect(texts()[0]).to.include(text)
    })
  }

  it('says how a URL is given', () => {
    expect(() => new TokenSocket('http://x' as never)).to.throw('options has to be an object')
    expect(texts()[0]).to.include("new TokenSocket({ host: 'http://x' })")
  })

  it('names a failure that nothing looks at', async () => {
    world.server.onmessage = (message, peer) => {
      if (message.type === 'auth') return false
      peer.send(refusal(message, new RpcError('forbidden')))
      return true
    }
    const socket = open()
    await socket.ready()
    void socket.subscribe('a')
    void socket.publish('b', 1)
    void socket.rpc('c')
    await until(() => warn.args.length === 3)
    expect(texts().map((text) => text.replace(/: Forbidden.*/, ''))).to.have.members([
      'TokenSocket: subscribe("a") failed, and nothing handles it',
      'TokenSocket: publish("b") failed, and nothing handles it',
      'TokenSocket: rpc("c") failed, and nothing handles it',
    ])
    expect(texts()[0]).to.match(/\(forbidden\)\. Await it, or give it a callback\.$/)
  })

  it('does not name a failure that is awaited, caught, called back or a part of another promise', async () => {
    const socket = open()
    await socket.ready()
    await errorOf(socket.rpc('no'))
    socket.rpc('no').catch(() => {})
    socket.rpc('no', 1, () => {})
    await Promise.allSettled([socket.rpc('no'), socket.rpc('no')])
    await errorOf((async () => socket.rpc('no'))())
    const later = socket.rpc('no')
    await errorOf(socket.rpc('no'))
    await errorOf(later)
    for (const _ of [1, 2, 3]) await turn()
    expect(texts()).to.deep.equal([])
  })

  it('does not name a failure that the end of the socket brings', async () => {
    const socket = open()
    void socket.rpc('hang')
    await socket.ready()
    await socket.end()
    await turn()
    expect(texts()).to.deep.equal([])
  })

  it('leaves a promise as it was', async () => {
    const socket = open()
    const answer = socket.rpc('echo', 1)
    expect(answer).to.be.an.instanceof(Promise)
    expect(answer.then((data) => data)).to.be.an.instanceof(Promise)
    expect(await answer).to.equal(1)
  })

  it('names an `error` event without a listener', async () => {
    const socket = open()
    await socket.ready()
    world.server.peer.send({ type: 'error', error: { error: 'Invalid message', code: 'bad_message' } })
    await until(() => warn.args.length)
    expect(texts()[0])
      .to.include('nothing listens for it: Invalid message')
      .and.include("socket.on('error'")
      .and.include('$onError')
  })

  it('names a listener for messages of a socket that is on no channel after 10 s', async () => {
    const clock = world.stopClock()
    const socket = open()
    socket.on('message', () => {})
    await socket.ready()
    clock.tick(9999)
    expect(texts()).to.deep.equal([])
    clock.tick(1)
    expect(texts()[0]).to.include('the socket is on no channel: use socket.subscribe(name)')
  })

  it('says nothing to a program without a mistake', async () => {
    const clock = world.stopClock()
    world.reconnectAtOnce()
    const socket = open()
    const listener = () => {}
    for (const event of ['ready', 'state', 'message', 'error', 'ping', 'frameIn', 'disconnect'] as const)
      socket.on(event, listener)
    await socket.ready()
    await socket.subscribe('a')
    expect(await socket.rpc('echo', { at: new Date(0), list: [1, null] })).to.be.an('object')
    const channel = socket.channel('b')
    channel.on('subscribed', listener)
    channel.bind('event', listener)
    clock.tick(11_000)
    await socket.rpc('echo')
    world.server.cut()
    await until(() => socket.state === 'waiting')
    clock.tick(20)
    await until(() => socket.state === 'ready')
    socket.off('message', listener)
    await socket.end()
    expect(texts()).to.deep.equal([])
  })

  it('goes to the logger, and nowhere with `logLevel: "none"`', () => {
    const logger = { warn: sinon.spy() }
    open({ lazy: true, logger, wrong: 1 })
    open({ lazy: true, logLevel: 'none', wrong: 1 })
    expect(texts()).to.deep.equal([])
    expect(logger.warn.args).to.have.length(1)
  })

  it('follows methods that a subclass or a test puts in the place of the class’s', () => {
    const rpc = sinon.stub(TokenSocket.prototype, 'rpc').resolves(5)
    void open({ lazy: true }).rpc('x', 1)
    expect(rpc.args).to.deep.equal([['x', 1]])
  })
})

describe('the advice in Node', () => {
  const PROGRAM = `
import { TokenSocket } from '@token-socket/client'
new TokenSocket({ host: 'x', lazy: true, wrong: 1 })
`
  for (const [environment, isGiven] of [
    ['production', false],
    ['development', true],
    ['', true],
  ] as const) {
    it(`is ${isGiven ? '' : 'not '}given where NODE_ENV is "${environment}"`, async () => {
      const args = [
        '--conditions=@token-socket/source',
        '--import=tsx',
        '--input-type=module',
        '--eval',
        PROGRAM,
      ]
      const env = { ...process.env, NODE_ENV: environment }
      const { stderr } = await promisify(execFile)(process.execPath, args, { env })
      expect(stderr.includes('There is no option wrong')).to.equal(isGiven)
    })
  }
})
