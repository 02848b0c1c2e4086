/** What `authentication` and `connectAuthentication` may give, and what both make of it: one table for both. */
import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { type Site, useSites } from './fixture.js'

type Callback = (error?: unknown, auth?: unknown) => void
type Give = (request: object, callback: Callback) => unknown

/** What becomes of a client. */
type Outcome = 'in' | 'refused' | 'fails' | `refused with ${string}`

const REQUESTS: Readonly<Record<string, (site: Site) => Promise<Outcome>>> = {
  authentication: async ({ url }) => {
    const response = await fetch(`${url}/socket/token`, { method: 'POST' })
    const { code } = (await response.json()) as { code?: string }
    return outcomeOf(response.status === 500 ? 'internal' : code)
  },
  connectAuthentication: async (site) => {
    const peer = await site.peer()
    peer.send({ rpc: 'auth', uuid: 'a', version: 1 })
    const { code } = (await peer.find(({ rpc }) => rpc === 'auth')) as { code?: string }
    return outcomeOf(code)
  },
}

function outcomeOf(code: string | undefined): Outcome {
  if (code === undefined) return 'in'
  if (code === 'internal') return 'fails'
  return code === 'forbidden' ? 'refused' : `refused with ${code}`
}

/** The line of the log that says what is wrong. */
const AS_ERROR = /^\w+ gave an error as its answer, which counts as thrown/
const NO_OBJECT =
  /^\w+ gave an object.* that is no object as JSON, so the (token request|connection) is refused/

const VALUES: Readonly<Record<string, readonly [make: () => unknown, outcome: Outcome, line?: RegExp]>> = {
  'an object': [() => ({ uid: 'ann' }), 'in'],
  'a list': [() => ['ann'], 'in'],
  true: [() => true, 'in'],
  false: [() => false, 'refused'],
  null: [() => null, 'refused'],
  'an Error': [() => new Error('no such user'), 'fails', AS_ERROR],
  'a TypeError': [() => new TypeError('x'), 'fails', AS_ERROR],
  'an RpcError': [() => new RpcError('banned'), 'refused with banned', AS_ERROR],
  'new Boolean(false)': [() => new Boolean(false), 'refused', NO_OBJECT],
  'new Boolean(true)': [() => new Boolean(true), 'refused', NO_OBJECT],
  "new String('')": [() => new String(''), 'refused', NO_OBJECT],
  'new Number(0)': [() => new Number(0), 'refused', NO_OBJECT],
  'a Date': [() => new Date(0), 'refused', NO_OBJECT],
  'an object that is nothing as JSON': [() => ({ toJSON: () => undefined }), 'refused', NO_OBJECT],
  'an object that is null as JSON': [() => ({ toJSON: () => null }), 'refused', NO_OBJECT],
  'an object that is a text as JSON': [() => ({ toJSON: () => 'ann' }), 'refused', NO_OBJECT],
}

/** Every way to give a value. */
const WAYS: Readonly<Record<string, (make: () => unknown) => Give>> = {
  returns: (make) => () => make(),
  resolves: (make) => async () => make(),
  'calls back': (make) => (_request, callback) => callback(null, make()),
  'calls back later': (make) => (_request, callback) => void setImmediate(() => callback(null, make())),
}

const NOTHING: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  0: 0,
  'an empty text': '',
}

for (const [option, ask] of Object.entries(REQUESTS))
  describe(`the answer of ${option}`, () => {
    const sites = useSites()
    const start = (give: Give) => sites({ [option]: give, engine: undefined })

    for (const [what, [make, outcome, line]] of Object.entries(VALUES))
      for (const [way, give] of Object.entries(WAYS))
        it(`that ${way} ${what}`, async () => {
          const site = await start(give(make))
          expect(await ask(site)).to.equal(outcome)
          const lines = site.log.filter(({ level }) => ['warn', 'error'].includes(level))
          const said = lines.filter(({ details }) => (details as { option?: unknown }).option === option)
          if (line) expect(said.map(({ message }) => message).join('\n')).to.match(new RegExp(line, 'm'))
          else expect(said).to.deep.equal([])
        })

    for (const [what, value] of Object.entries(NOTHING))
      for (const [way, give] of Object.entries({
        throws: () => {
          throw value
        },
        rejects: () => Promise.reject(value),
      }))
        it(`fails when it ${way} ${what}`, async () => {
          const site = await start(give)
          expect(await ask(site)).to.equal('fails')
          expect(site.log.filter(({ level }) => level === 'error')).to.have.length(1)
        })

    describe('that takes a callback and returns a value', () => {
      const text = /takes a callback and returned a value, which counts/
      const warnings = ({ log }: Site) => log.filter(({ message }) => text.test(message))

      it('counts, and is warned of', async () => {
        const site = await start((_request, callback) => {
          setImmediate(() => callback(null, false))
          return true
        })
        expect(await ask(site)).to.equal('in')
        expect(warnings(site).map(({ level }) => level)).to.deep.equal(['warn'])
      })

      it('is not warned of in production', async () => {
        const before = process.env.NODE_ENV
        process.env.NODE_ENV = 'production'
        try {
          const site = await start((_request, _callback) => true)
          expect(await ask(site)).to.equal('in')
          expect(warnings(site)).to.deep.equal([])
        } finally {
          if (before === undefined) delete process.env.NODE_ENV
          else process.env.NODE_ENV = before
        }
      })

      it('is not warned of where it is nothing, a promise, or comes after the callback', async () => {
        const gives: readonly Give[] = [
          (_request, callback) => void callback(null, true),
          async (_request, _callback) => true,
          (_request, callback) => {
            callback(null, true)
            return {}
          },
        ]
        for (const give of gives) {
          const site = await start(give)
          expect(await ask(site)).to.equal('in')
          expect(warnings(site)).to.deep.equal([])
        }
      })
    })
  })
