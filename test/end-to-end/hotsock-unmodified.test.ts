/** What Hotsock's own client does against this server: it comes back at once after what was open, and backs off otherwise. */
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { WebSocket } from 'ws'
import { type Site, until, useSites } from './fixture.js'

const KEY = 'the key of the application, 32 bytes or more'

/** Its reconnecting: without a delay after a connection that had opened, with a growing one after one that had not. */
class Unmodified {
  opened = 0
  failed = 0
  readonly codes: number[] = []
  readonly #url: string
  #socket: WebSocket | undefined
  #isOver = false

  constructor(url: string) {
    this.#url = url
    this.#connect()
  }

  #connect(): void {
    const token = jwt.sign({ scope: 'connect', uid: 'ann' }, KEY, { expiresIn: 30 })
    const socket = new WebSocket(`${this.#url}?token=${token}`)
    let isOpen = false
    this.#socket = socket
    socket.on('open', () => {
      isOpen = true
      this.opened += 1
      socket.send('{"event":"hotsock.subscribe","channel":"my-channel"}')
    })
    socket.on('error', () => {})
    socket.on('close', (code) => {
      if (!isOpen) this.failed += 1
      this.codes.push(code)
      // The first failure, and what follows it a second later, are enough to see.
      if (isOpen && !this.#isOver) this.#connect()
    })
  }

  end(): void {
    this.#isOver = true
    this.#socket?.terminate()
  }
}

describe('Hotsock’s own client', () => {
  const start = useSites()
  let client: Unmodified | undefined

  afterEach(() => client?.end())

  const connect = (site: Site, path: string) => {
    client = new Unmodified(`ws://${site.host}/sockets/${path}`)
    return client
  }

  it('is not heard, and comes back no more often than once in authTimeout', async () => {
    const authTimeout = 100
    const site = await start({ authTimeout })
    const begun = performance.now()
    const { codes } = connect(site, 'websocket')
    await until(() => codes.length === 4)
    // Timers may be a little early.
    expect(performance.now() - begun).to.be.above(4 * (authTimeout - 5))
    expect(codes).to.deep.equal([4500, 4500, 4500, 4500])
    const lines = site.log.filter(({ message }) => message === 'a connection was refused')
    expect(lines.map(({ details }) => details)).to.deep.include({
      code: 4500,
      reason: 'auth_required',
      transport: 'websocket',
    })
  })

  it('is refused by raw before it opens, and so backs off by itself', async () => {
    const site = await start({
      transports: ['websocket', 'raw'],
      connectAuthentication: () => false,
    })
    const one = connect(site, 'raw')
    await until(() => one.failed === 1)
    expect(one.opened).to.equal(0)
  })

  it('is refused before it opens by a server without raw', async () => {
    const one = connect(await start(), 'raw')
    await until(() => one.failed === 1)
    expect(one.opened).to.equal(0)
  })
})
