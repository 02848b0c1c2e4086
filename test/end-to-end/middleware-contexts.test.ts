/** Middleware that spoils its context: the library goes on with what it knows itself. */
import type { Middleware, MiddlewareContext } from '@token-socket/server'
import { expect } from 'chai'
import { type Site, useSites } from './fixture.js'
import type { Frame } from './peer.js'

const TIMES = { vetoTimeout: 50, callTimeout: 400 }

const SPOIL: Readonly<Record<string, (context: Record<string, unknown>) => void>> = {
  'deletes the socket': (context) => delete context.socket,
  'puts null in place of the socket': (context) => {
    context.socket = null
  },
  'puts another user in place of the socket': (context) => {
    context.socket = { sid: 'other', uid: 'other', auth: { name: 'root' } }
  },
  'changes the type': (context) => {
    context.type = context.type === 'call' ? 'publish' : 'call'
  },
  'puts an object in place of the channel': (context) => {
    if ('channel' in context) context.channel = {}
  },
  'freezes it': (context) => void Object.freeze(context),
}

const ENDS: Readonly<Record<string, Middleware>> = {
  hangs: () => new Promise(() => {}),
  throws: () => {
    throw new Error('middleware')
  },
  'skips the rest': () => {},
  'goes on': (_context, next) => next(),
}

const REQUESTS: Readonly<Record<'call' | 'subscribe' | 'publish' | 'broadcast', Frame>> = {
  call: { rpc: 'who', req: 1 },
  subscribe: { rpc: '_subscribe', req: { channel: 'room' } },
  publish: { rpc: '_publish', req: { channel: 'room', data: 1 } },
  broadcast: { rpc: '_broadcast', req: { data: 1 } },
}

describe('a middleware that spoils its context', () => {
  const sites = useSites()

  async function outcome(middleware: Middleware, request: Frame): Promise<unknown> {
    const site: Site = await sites({
      limits: TIMES,
      socketController: { who: (auth, _data, _callback, socket) => [auth, typeof socket.sid] },
    })
    const peer = await site.member()
    site.sockets.use(middleware)
    const { resp, code } = await peer.ask(request)
    const isAbout = (level: string, name: unknown) => level === 'error' || (level === 'warn' && name)
    const lines = site.log.filter(({ level, details }) => isAbout(level, details.middleware))
    return [
      code ?? (Object(resp).id ? 'stored' : resp),
      lines.map(({ message, details }) => [message, details.middleware, details.function, details.channel]),
      lines.every(({ details }) => details.sid === site.sockets.sockets()[0]?.sid),
    ]
  }

  for (const [end, middleware] of Object.entries(ENDS)) {
    for (const [type, request] of Object.entries(REQUESTS)) {
      it(`and then ${end}, changes nothing about the answer and the log: ${type}`, async () => {
        const expected = await outcome(middleware, request)
        for (const [what, spoil] of Object.entries(SPOIL)) {
          const spoilt: Middleware = (context: MiddlewareContext, next) => {
            spoil(context as unknown as Record<string, unknown>)
            return middleware(context, next)
          }
          expect(await outcome(spoilt, request), what).to.deep.equal(expected)
        }
      })
    }
  }
})
