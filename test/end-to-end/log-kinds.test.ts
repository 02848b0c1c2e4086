/** What clients make up fills no log, and hides no line about anything else. */
import type { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { type Site, useSites } from './fixture.js'
import type { Frame } from './peer.js'

const NAMES = 1000

const hostile = Object.defineProperty({}, 'trap', {
  enumerable: true,
  get: () => {
    throw new Error('a getter')
  },
})

/** What can have a line for a name that a client made up, and how its calls end. */
const FLOODS: Readonly<
  Record<string, { readonly prefix?: string; readonly code: string; use?(sockets: TokenSocketServer): void }>
> = {
  'no such functions': { code: 'not_found' },
  'a look-up that throws': { prefix: 'trap.', code: 'internal' },
  'middleware that throws': {
    code: 'internal',
    use: (sockets) => {
      sockets.use('call', () => {
        throw new TypeError('a bug')
      })
    },
  },
  'middleware that calls next() twice': {
    code: 'internal',
    use: (sockets) => {
      sockets.use('call', async (_context, next) => {
        await Promise.allSettled([next(), next()])
      })
    },
  },
  'middleware that does not go on': {
    code: 'timeout',
    use: (sockets) => {
      sockets.use('call', () => new Promise(() => {}))
    },
  },
}

describe('lines of the log', () => {
  const sites = useSites()
  const limits = {
    callTimeout: 100,
    rate: NAMES * 2,
    callsIn: NAMES * 2,
    callBytes: 10 ** 8,
    abandonedCalls: NAMES * 2,
    vetoTimeout: 50,
  }

  const linesOf = (site: Site) => site.log.filter(({ level }) => level !== 'debug')

  for (const [what, { prefix = '', code, use }] of Object.entries(FLOODS)) {
    it(`are few for ${NAMES} made-up names with ${what}, and others are still written`, async () => {
      const site = await sites({ socketController: hostile as never, limits })
      const peer = await site.member()
      use?.(site.sockets)
      const call = (_: unknown, id: number) => peer.ask({ rpc: `${prefix}made.up${id}`, uuid: `u${id}` })
      const answers = await Promise.all(Array.from({ length: NAMES }, call))
      expect(new Set(answers.map((answer: Frame) => answer.code))).to.deep.equal(new Set([code]))
      expect(linesOf(site).length).to.be.below(10)

      site.sockets.on('subscribe', () => 'neither' as never)
      await peer.ask({ rpc: '_subscribe', req: { channel: 'room' } })
      expect(linesOf(site).map(({ details }) => details.event)).to.include('subscribe')
    })
  }

  it('tell faults of middleware around different requests apart', async () => {
    const site = await sites()
    const peer = await site.member()
    for (const type of ['publish', 'subscribe', 'unsubscribe', 'history', 'broadcast', 'call'] as const)
      site.sockets.use(type, () => {
        throw new TypeError(`in ${type}`)
      })
    for (const rpc of ['_publish', '_subscribe', '_unsubscribe', '_history', '_broadcast', 'echo'])
      await peer.ask({ rpc, req: { channel: 'a', data: 1 } })
    const types = linesOf(site).flatMap(({ level, details }) =>
      level === 'error' ? [details.middleware] : [],
    )
    expect(types).to.deep.equal(['publish', 'subscribe', 'unsubscribe', 'history', 'broadcast', 'call'])
  })

  it('tell functions apart that fail, and rules', async () => {
    const fail = () => {
      throw new TypeError('a bug')
    }
    const site = await sites({
      socketController: { a: fail, b: fail },
      channels: { 'x*': { subscribe: fail }, 'y*': { subscribe: fail } },
    })
    const peer = await site.member()
    for (const rpc of ['a', 'b', 'a']) await peer.ask({ rpc })
    for (const channel of ['x', 'y', 'x']) await peer.ask({ rpc: '_subscribe', req: { channel } })
    const subjects = linesOf(site)
      .filter(({ level }) => level === 'error')
      .map(({ details }) => details.function ?? details.rule)
    expect(subjects).to.deep.equal(['a', 'b', 'x*', 'y*'])
  })
})
