import { ERRORS, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { defineContract, procedure, type } from '#contract/index.js'
import { implement, typed } from '#contract/server/index.js'

/** What `defineContract` throws: its message. */
function refusal(definition: unknown): string {
  try {
    defineContract(definition as never)
  } catch (error) {
    expect(RpcError.is(error) && error.code).to.equal('bad_option')
    return (error as RpcError).message
  }
  return 'nothing'
}

const message = procedure()
const answered = procedure({ output: type<number>() })

/** A tree with one operation. */
function named(name: string): unknown {
  return Object.fromEntries([[name, message]])
}

/** A tree of a depth, around an operation. */
function nested(depth: number, inner: unknown = message): unknown {
  return depth === 0 ? inner : { a: nested(depth - 1, inner) }
}

describe('#defineContract', () => {
  it('makes what `implement` and `typed` need: anything else is refused', () => {
    for (const wrong of [undefined, null, {}, 5, { server: {} }]) {
      expect(() => implement(wrong as never, {} as never)).to.throw(
        'contract has to be one that defineContract made',
      )
      expect(() => typed({} as never, wrong as never)).to.throw(
        'contract has to be one that defineContract made',
      )
    }
  })

  it('does not look in production, where servers do', () => {
    const { NODE_ENV } = process.env
    try {
      process.env.NODE_ENV = 'production'
      const wrong = { pay: procedure({ output: 1 } as never), ...(named('then') as object) }
      const contract = defineContract({ server: wrong as never })
      expect(() => implement(contract, {} as never)).to.throw('server.pay.output has to be a schema')
      expect(() => typed({} as never, contract)).to.throw('server.pay.output has to be a schema')
    } finally {
      if (NODE_ENV === undefined) delete process.env.NODE_ENV
      else process.env.NODE_ENV = NODE_ENV
    }
  })

  it('keeps the definition as it is', () => {
    const definition = { server: { pay: message }, channels: { lobby: { events: {} } } }
    expect(defineContract(definition).definition).to.equal(definition)
  })

  const names: Readonly<Record<string, unknown>> = {
    'server.then': { server: named('then') },
    'server.constructor': { server: { constructor: message } },
    'server.toString': { server: { toString: message } },
    'server.toJSON': { server: { toJSON: message } },
    'client.deep.then': { client: { deep: named('then') } },
    'both.__proto__': { both: JSON.parse('{ "__proto__": {} }') },
    'server.Symbol(then)': { server: { [Symbol('then')]: message } },
    'server.a.b': { server: { 'a.b': message } },
    'server.': { server: { '': message } },
    'server.1st': { server: { '1st': message } },
    'server.$connect': { server: { $connect: message } },
    'client.$x': { client: { $x: message } },
    'server._ping': { server: { _ping: message } },
    'server.auth': { server: { auth: message } },
    'server.handle': { server: { handle: message } },
    'both.channel': { both: { channel: message } },
  }
  for (const [name, definition] of Object.entries(names)) {
    it(`refuses the name ${name}`, () => {
      expect(refusal(definition)).to.contain(`Invalid option: ${name} has to be`)
    })
  }

  it('takes names that are reserved only at the top, below it', () => {
    const tree = { deep: { auth: message, handle: message, channel: message, _x: message } }
    expect(refusal({ server: tree })).to.equal('nothing')
  })

  it('refuses what is no tree of operations, and names it', () => {
    const wrong: readonly unknown[] = [
      1,
      'x',
      null,
      () => {},
      [message],
      new Date(),
      new Map(),
      Object.create({}),
    ]
    for (const value of wrong) {
      expect(refusal({ server: { pay: value } })).to.contain('server.pay has to be')
      expect(refusal({ client: value })).to.contain('client has to be')
    }
    expect(refusal(undefined)).to.contain('contract has to be an object')
    expect(refusal({ sever: {} })).to.contain('sever has to be one of server, client, both, channels')
  })

  it('takes 16 levels; refuses more, and cycles', () => {
    const cycle: Record<string, unknown> = { pay: message }
    cycle.again = cycle
    expect(refusal({ server: nested(16) })).to.equal('nothing')
    expect(refusal({ server: nested(17) })).to.contain('without a cycle')
    expect(refusal({ server: cycle })).to.contain('without a cycle')
  })

  it('takes names of 256 UTF-16 code units with their dots; refuses longer ones', () => {
    const tree = (length: number) => ({ server: { ab: { ['x'.repeat(length)]: message } } })
    expect(refusal(tree(253))).to.equal('nothing')
    expect(refusal(tree(254))).to.contain('256')
  })

  const collisions: Readonly<Record<string, unknown>> = {
    'an operation of both, and of the server': { server: { x: message }, both: { x: message } },
    'an operation of both, and of the client': { client: { x: message }, both: { x: message } },
    'an operation of the server, and a listener': { server: { onX: message }, client: { x: message } },
    'an operation of both, and its listener': { both: { x: message, onX: answered } },
    'two listeners': { client: { x: message, X: message } },
    'a nested operation, and a listener': { server: { a: { onX: message } }, client: { a: { x: message } } },
    'an operation, and a branch of both': { server: { a: message }, both: { a: { b: message } } },
    'a branch, and an operation of both': { server: { a: { b: message } }, both: { a: message } },
    'an operation, and a branch of listeners': { server: { a: message }, client: { a: { b: message } } },
  }
  for (const [what, definition] of Object.entries(collisions)) {
    it(`refuses ${what} of one name`, () => {
      expect(refusal(definition)).to.contain('one thing only')
    })
  }

  it('takes one name at both ends', () => {
    const definition = {
      server: { x: message, a: { y: message } },
      client: { x: message, a: { z: answered } },
    }
    expect(refusal(definition)).to.equal('nothing')
  })

  it('refuses channels that can be no channels, events that are no schemas, and names them', () => {
    const schema = type<string>()
    const channels = (pattern: string, channel: unknown = { events: {} }) =>
      refusal({ channels: { [pattern]: channel } })
    for (const pattern of ['', '{', 'a}', '{}', '{a-b}', '{__proto__}', 'a*', '#regex:x', 'a%41', '{a}{b}'])
      expect(channels(pattern), pattern).to.contain(`channels.${pattern} has to be`)
    for (const pattern of ['{a}x{b}', '{a}1', '{a}_{b}', '{a}-{a}', 'x'.repeat(257)])
      expect(channels(pattern), pattern).to.contain(`channels.${pattern} has to be`)
    for (const channel of [null, 1, {}, { events: null }])
      expect(channels('a', channel)).to.contain('channels.a.events has to be an object')
    expect(channels('a', { events: { say: 1 } })).to.contain('channels.a.events.say has to be a schema')
    expect(channels('a', { events: { '': schema } })).to.contain('at most 128 characters')
    expect(channels('a', { events: { ['x'.repeat(129)]: schema } })).to.contain('at most 128 characters')
    expect(channels('a', { events: {}, presence: {} })).to.contain('channels.a.presence has to be a schema')
    expect(refusal({ channels: 1 })).to.contain('channels has to be an object')
  })
})

describe('#procedure', () => {
  /** What it throws: its message. */
  function refused(definition: unknown): string {
    try {
      procedure(definition as never)
    } catch (error) {
      return (error as RpcError).message
    }
    return 'nothing'
  }

  it('refuses what is no schema, and fields that it does not know', () => {
    for (const wrong of [null, 1, 'x', {}, { '~standard': { version: 2 } }])
      expect(refused({ input: wrong })).to.contain('input has to be a schema')
    expect(refused({ output: {} })).to.contain('output has to be a schema')
    expect(refused({ errors: { sold_out: {} } })).to.contain('errors.sold_out has to be a schema')
    expect(refused({ inputs: type() })).to.contain('inputs has to be one of')
  })

  it('refuses error codes of the library, those that objects inherit, and what is no word', () => {
    for (const code of [...Object.keys(ERRORS), 'constructor', 'toString', '', 'a b', '1'])
      expect(refused({ errors: { [code]: type() } }), code).to.contain(`errors.${code} has to be`)
    expect(refused({ errors: { sold_out: type() } })).to.equal('nothing')
  })
})
