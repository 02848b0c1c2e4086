/** Middleware that only watches: functions of every kind answer, fail and are reported as they are without it. */
import { type Middleware, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { type Site, useSites } from './fixture.js'
import type { Frame } from './peer.js'

type Callback = (error?: unknown, data?: unknown) => void
type Context = { readonly signal: AbortSignal }
type Handler = (auth: unknown, data: unknown, callback: Callback, socket: unknown, call: Context) => unknown

const turn = () => new Promise(setImmediate)
const soon = (run: () => void) => void setImmediate(run)
const find = async (id: unknown) => {
  await turn()
  if (id === 'bad') throw Object.assign(new Error('No such order'), { code: 'no_order' })
  return { id }
}
const unreadable = () =>
  Object.defineProperty(new Error('x'), 'code', {
    get: () => {
      throw new Error('a getter')
    },
  })
const onAbort = ({ signal }: Context, run: () => void) => signal.addEventListener('abort', run)

/** Functions by how they answer. Those that are named `late…` do so after their calls have timed out. */
const FUNCTIONS: Readonly<Record<string, Handler>> = {
  chain: (_auth, id, callback) => find(id).then((order) => callback(null, order), callback),
  chainThatFails: (_auth, _id, callback) => find('bad').then((order) => callback(null, order), callback),
  asyncBack: async (_auth, data, callback) => {
    await turn()
    callback(null, data)
  },
  asyncBackError: async (_auth, _data, callback) => {
    await turn()
    callback({ code: 'sold_out', message: 'Sold out' })
  },
  asyncBackAtOnce: async (_auth, data, callback) => callback(null, data),
  asyncBackNothing: async (_auth, _data, callback) => callback(),
  asyncBackThenValue: async (_auth, data, callback) => {
    callback(null, data)
    return 'another'
  },
  asyncBackThenThrows: async (_auth, data, callback) => {
    callback(null, data)
    throw new Error('afterwards')
  },
  asyncBackTwice: async (_auth, data, callback) => {
    callback(null, data)
    callback(null, 'another')
  },
  promiseThenBack: (_auth, data, callback) => {
    soon(() => callback(null, 'another'))
    return Promise.resolve(data)
  },
  valueThenBack: (_auth, data, callback) => {
    soon(() => callback(null, 'another'))
    return data
  },
  backTwice: (_auth, data, callback) => {
    callback(null, data)
    callback(null, 'another')
  },
  backTwiceLater: (_auth, data, callback) =>
    soon(() => {
      callback(null, data)
      callback('an error')
    }),
  backThenThrows: (_auth, data, callback) => {
    callback(null, data)
    throw new Error('afterwards')
  },
  backThenThrowsOwn: (_auth, data, callback) => {
    callback(null, data)
    throw new RpcError('own')
  },
  throwsThenBack: (_auth, _data, callback) => {
    soon(() => callback(null, 'another'))
    throw new Error('at once')
  },
  rejects: async () => {
    throw new Error('a secret')
  },
  rejectsUnreadable: async () => {
    throw unreadable()
  },
  throwsUnreadable: () => {
    throw unreadable()
  },
  backUnreadable: (_auth, _data, callback) => soon(() => callback(unreadable())),
  never: (_auth, _data, _callback) => {},
  neverPromise: () => new Promise(() => {}),
  lateBack: (_auth, data, callback, _socket, call) => onAbort(call, () => soon(() => callback(null, data))),
  lateBackError: (_auth, _data, callback, _socket, call) => onAbort(call, () => callback(call.signal.reason)),
  lateBackTwice: (_auth, data, callback, _socket, call) =>
    onAbort(call, () => {
      callback(null, data)
      callback(null, data)
    }),
  latePromise: (_auth, data, _callback, _socket, call) =>
    new Promise((resolve) => onAbort(call, () => resolve(data))),
  lateRejection: (_auth, _data, _callback, _socket, call) =>
    new Promise((_resolve, reject) => onAbort(call, () => reject(new Error('after it')))),
  lateAbortError: (_auth, _data, _callback, _socket, call) =>
    new Promise((_resolve, reject) =>
      onAbort(call, () => reject(Object.assign(new Error(), { name: 'AbortError' }))),
    ),
}

/** Express routes, which answer by a promise that calls back. */
const ROUTES: Readonly<
  Record<string, (req: unknown, res: Response, next: (error?: unknown) => void) => unknown>
> = {
  routeLater: (_req, res) => soon(() => res.status(201).json({ now: 1 })),
  routeAsync: async (_req, res) => {
    await turn()
    res.json({ ok: 1 })
  },
  routeError: (_req, res) => res.status(409).json({ error: 'taken' }),
  routeFails: (_req, _res, next) => next(new Error('secret')),
}

interface Response {
  status(code: number): Response
  json(body: unknown): unknown
}

const WATCHERS: Readonly<Record<string, Middleware>> = {
  'returns next()': (_context, next) => next(),
  'awaits next()': async (_context, next) => await next(),
  'awaits next() and returns nothing': async (_context, next) => {
    await next()
  },
  'waits before and after': async (_context, next) => {
    await Promise.resolve()
    try {
      return await next()
    } finally {
      await Promise.resolve()
    }
  },
}

const LIMITS = { callTimeout: 60 }

/** What a call leaves behind: its answer, its failures, and its lines. */
async function traceOf(site: Site, name: string): Promise<object> {
  const peer = await site.member()
  const { uuid: _uuid, resp, ...answer } = await peer.ask({ rpc: name, req: { a: 1 } })
  // What comes after the answer.
  for (let count = 0; count < 5; count += 1) await turn()
  const lines = site.log.filter(({ level, details }) => level === 'warn' && 'function' in details)
  return {
    answer: { ...answer, resp: withoutHeaders(resp) },
    failures: site.failures.map(({ cause, details }) => [messageOf(cause), details.function]),
    lines: lines.map(({ message, details: { sid: _sid, uid: _uid, ...details } }) => [message, details]),
  }
}

function withoutHeaders(resp: Frame['resp']): unknown {
  return JSON.parse(JSON.stringify({ resp }, (key, value) => (key === '_headers' ? {} : value)))
}

function messageOf(cause: unknown): string {
  return (cause as Error).message
}

describe('middleware around functions of every kind', () => {
  const sites = useSites()
  const traces = new Map<string, object>()
  const make = () => sites({ socketController: { ...FUNCTIONS }, routes: ROUTES as never, limits: LIMITS })

  async function plainTrace(name: string): Promise<object> {
    const trace = traces.get(name) ?? (await traceOf(await make(), name))
    traces.set(name, trace)
    return trace
  }

  for (const [what, middleware] of Object.entries(WATCHERS)) {
    describe(`that ${what}`, () => {
      for (const name of [...Object.keys(FUNCTIONS), ...Object.keys(ROUTES), 'unknown', '__proto__.x']) {
        it(`changes nothing about ${name}`, async () => {
          const plain = await plainTrace(name)
          const site = await make()
          site.sockets.use('call', middleware as never)
          expect(await traceOf(site, name)).to.deep.equal(plain)
        })
      }
    })
  }

  it('answers what the functions answer', async () => {
    const answerOf = async (name: string) => {
      const { answer } = (await plainTrace(name)) as { answer: Frame }
      return answer
    }
    expect(await answerOf('chain')).to.deep.include({ resp: { resp: { id: { a: 1 } } } })
    expect(await answerOf('chainThatFails')).to.deep.include({ code: 'no_order' })
    expect(await answerOf('asyncBackThenValue')).to.deep.include({ resp: { resp: { a: 1 } } })
    expect(await answerOf('rejectsUnreadable')).to.deep.include({ code: 'internal' })
    expect(await answerOf('throwsUnreadable')).to.deep.include({ code: 'internal' })
    expect(await answerOf('backUnreadable')).to.deep.include({ code: 'internal' })
    expect(await answerOf('lateBack')).to.deep.include({ code: 'timeout' })
    expect(await answerOf('routeLater')).to.deep.include({
      resp: { resp: { now: 1, _headers: {}, _code: 201 } },
    })
  })

  it('leaves lines and failures as functions do alone', async () => {
    const linesOf = async (name: string) => {
      const { lines } = (await plainTrace(name)) as { lines: [string, { reason?: string; ended?: string }][] }
      return lines.map(([, { reason, ended }]) => reason ?? ended)
    }
    expect(await linesOf('never')).to.deep.equal(['declared callback, never called it'])
    expect(await linesOf('neverPromise')).to.deep.equal(['its promise has not settled'])
    expect(await linesOf('lateBack')).to.include('timeout')
    expect(await linesOf('backTwiceLater')).to.deep.equal([
      'it called back twice, or called back after it had answered by what it returned',
    ])
    expect(await linesOf('chain')).to.deep.equal([])
    const { failures } = (await plainTrace('asyncBackThenThrows')) as { failures: unknown[] }
    expect(failures).to.deep.equal([['afterwards', 'asyncBackThenThrows']])
  })
})
