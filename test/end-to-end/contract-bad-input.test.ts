/** What clients send to the operations of a contract that they must not: for each schema library, on each carrier. */
import { defineContract, procedure, type Schema } from '@token-socket/contract'
import { implement } from '@token-socket/contract/server'
import { RpcError } from '@token-socket/server'
import { type as ark } from 'arktype'
import { expect } from 'chai'
import * as v from 'valibot'
import { z } from 'zod'
import { deferred, rejection, type Site, turn, until, useSites } from './fixture.js'
import { CARRIERS } from './peer.js'

/** An order, strict and not strict about fields that it does not know; and a list. */
const LIBRARIES = {
  Zod: {
    strict: z.strictObject({ id: z.number(), lines: z.array(z.object({ item: z.string() })) }),
    loose: z.object({ id: z.number() }),
    list: z.array(z.number()),
    answer: z.object({ total: z.number() }),
  },
  Valibot: {
    strict: v.strictObject({ id: v.number(), lines: v.array(v.object({ item: v.string() })) }),
    loose: v.object({ id: v.number() }),
    list: v.array(v.number()),
    answer: v.object({ total: v.number() }),
  },
  ArkType: {
    strict: ark({ '+': 'reject', id: 'number', lines: ark({ item: 'string' }).array() }),
    loose: ark({ '+': 'delete', id: 'number' }),
    list: ark('number[]'),
    answer: ark({ total: 'number' }),
  },
} as const

/** Wrong orders, and the path that has to be among the issues. */
const WRONG: Readonly<Record<string, readonly [order: unknown, path: readonly (string | number)[]]>> = {
  nothing: [undefined, []],
  null: [null, []],
  'a text': ['leaked', []],
  'no field': [{ lines: [] }, ['id']],
  'a wrong field': [{ id: 'leaked', lines: [] }, ['id']],
  'a wrong field at depth': [{ id: 1, lines: [{ item: 'a' }, { item: 5 }] }, ['lines', 1, 'item']],
  'no field at depth': [{ id: 1, lines: [{}] }, ['lines', 0, 'item']],
  'an object as a list': [{ id: 1, lines: { length: 1, 0: { item: 'a' } } }, ['lines']],
}

interface Issues {
  readonly function: string
  readonly issues: readonly { readonly path: readonly unknown[]; readonly message: string }[]
}

describe('bad input of a contract', () => {
  const start = useSites()
  const ran: unknown[] = []
  beforeEach(() => void ran.splice(0))

  for (const [library, schemas] of Object.entries(LIBRARIES)) {
    describe(`with ${library}`, () => {
      const contract = defineContract({
        server: {
          strict: procedure({
            input: schemas.strict as Schema<unknown>,
            output: schemas.answer as Schema<unknown>,
          }),
          loose: procedure({
            input: schemas.loose as Schema<unknown>,
            output: schemas.loose as Schema<unknown>,
          }),
          list: procedure({
            input: schemas.list as Schema<unknown>,
            output: schemas.answer as Schema<unknown>,
          }),
          say: procedure({ input: schemas.strict as Schema<unknown> }),
        },
      })

      const serve = (answer: unknown = { total: 1 }): Promise<Site> => {
        const run = (input: unknown) => {
          ran.push(input)
          return answer
        }
        const handlers = { strict: run, loose: (input: unknown) => input, list: run, say: run }
        return start({ socketController: implement(contract, handlers) })
      }

      for (const [what, [order, path]] of Object.entries(WRONG)) {
        it(`${what} is invalid_input with its path, reaches no handler, and is in no log`, async () => {
          const site = await serve()
          const client = await site.ready()
          for (const name of ['strict', 'say']) {
            const error = await rejection(client.rpc(name, order))
            const { issues, function: called } = error.data as Issues
            expect([error.code, called]).to.deep.equal(['invalid_input', name])
            expect(issues.map((issue) => issue.path)).to.deep.include(path)
            expect(JSON.stringify([error.message, error.data])).not.to.contain('leaked')
          }
          expect(ran).to.deep.equal([])
          expect(JSON.stringify(site.log)).not.to.contain('leaked')
        })
      }

      it('fields that a strict schema does not know are refused; others follow the schema’s own rule', async () => {
        const client = await (await serve()).ready()
        const extra = { id: 1, lines: [], extra: 'leaked' }
        const error = await rejection(client.rpc('strict', extra))
        expect(error.code).to.equal('invalid_input')
        expect(JSON.stringify(error.data)).not.to.contain('leaked')
        expect(await client.rpc('loose', { id: 1, extra: 2 })).to.deep.equal({ id: 1 })
        expect(ran).to.deep.equal([])
      })

      it('10,000 wrong elements are answered with 20 issues, in few bytes', async () => {
        const site = await serve()
        const peer = await site.member()
        const answer = await peer.ask({ rpc: 'list', req: Array(10_000).fill('leaked') })
        const { data } = answer.error as { data: Issues }
        expect(data.issues.map(({ path }) => path[0])).to.deep.equal(
          Array.from({ length: 20 }, (_, index) => index),
        )
        expect(JSON.stringify(answer).length).to.be.below(8000)
        expect(JSON.stringify(answer)).not.to.contain('leaked')
      })

      it('`__proto__` and `constructor` as fields pollute nothing, and reach no handler', async () => {
        const site = await serve()
        for (const carrier of CARRIERS) {
          const peer = await site.member(carrier)
          for (const field of ['__proto__', 'constructor', 'prototype']) {
            const req = `{"id":1,"lines":[],"${field}":{"polluted":true}}`
            peer.sendTexts(`{"rpc":"strict","uuid":"${field}","req":${req}}`)
            const answer = await peer.find(({ uuid }) => uuid === field)
            if (answer.code === undefined) expect(ran.pop()).to.not.have.property('polluted')
            else expect(answer.code).to.equal('invalid_input')
          }
        }
        expect(({} as { polluted?: unknown }).polluted).to.equal(undefined)
      })

      it('an answer that the contract refuses is internal, and in the error event with its path', async () => {
        const site = await serve({ total: 'leaked' })
        const client = await site.ready()
        const error = await rejection(client.rpc('strict', { id: 1, lines: [] }))
        expect([error.code, error.data]).to.deep.equal(['internal', undefined])
        const path = 'cause.data.issues[0].path'
        expect(site.failures[0]?.cause).to.have.nested.property(path).that.deep.equals(['total'])
      })
    })
  }

  it('names that no contract can have are not found', async () => {
    const contract = defineContract({ server: { go: procedure({ output: z.number() }) } })
    const site = await start({ socketController: implement(contract, { go: () => 1 }) })
    for (const carrier of CARRIERS) {
      const peer = await site.member(carrier)
      const names = [
        'then',
        'constructor',
        '__proto__',
        'hasOwnProperty',
        'go.then',
        'go.call',
        '',
        '.',
        'go.',
        'x'.repeat(256),
      ]
      for (const rpc of names)
        expect((await peer.ask({ rpc, req: 1 })).code, rpc).to.be.oneOf(['not_found', 'bad_message'])
      expect((await peer.ask({ rpc: 'go' })).resp).to.equal(1)
    }
  })

  describe('schemas that', () => {
    const site = (run: () => unknown, more: Parameters<typeof start>[0] = {}) => {
      const schema = z.unknown().refine(run as () => boolean) as Schema<unknown>
      const contract = defineContract({
        server: {
          input: procedure({ input: schema, output: z.unknown() as Schema<unknown> }),
          output: procedure({ output: schema }),
          say: procedure({ input: schema }),
          error: procedure({ output: z.number(), errors: { own: schema } }),
        },
      })
      const handlers = {
        input: () => ran.push('input'),
        output: () => ran.push('output'),
        say: () => ran.push('say'),
        error: () => {
          throw new RpcError('own', 'Own', 1)
        },
      }
      return start({ ...more, socketController: implement(contract, handlers) })
    }
    const NAMES = ['input', 'output', 'say', 'error']

    it('throw, or reject, are internal, and the error event has the cause', async () => {
      for (const run of [
        () => Promise.reject(new RpcError('of_the_schema')),
        throwing(new RpcError('of_the_schema')),
      ]) {
        const failing = await site(run)
        const client = await failing.ready()
        for (const name of NAMES)
          expect((await rejection(client.rpc(name, 1))).code, name).to.equal('internal')
        expect(failing.failures).to.have.length(4)
        for (const { cause } of failing.failures)
          expect(cause).to.have.nested.property('cause.code', 'of_the_schema')
      }
    })

    it('never settle end with the time-out of the call; its handler does not run', async () => {
      const hanging = await site(() => new Promise(() => {}))
      const client = await hanging.ready()
      for (const name of NAMES)
        expect((await rejection(client.rpc(name, 1, { timeout: 30 }))).code, name).to.equal('timeout')
      expect(ran).to.deep.equal(['output'])
      const short = await site(() => new Promise(() => {}), { limits: { callTimeout: 30 } })
      const peer = await short.member()
      expect((await peer.ask({ rpc: 'input', req: 1 })).code).to.equal('timeout')
    })

    it('settle after the call has ended run no handler', async () => {
      const { promise, resolve } = deferred<boolean>()
      const late = await site(() => promise, { limits: { callTimeout: 30 } })
      const peer = await late.member()
      expect((await peer.ask({ rpc: 'input', req: 1 })).code).to.equal('timeout')
      resolve(true)
      for (let turns = 0; turns < 5; turns += 1) await turn()
      expect(ran).to.deep.equal([])
      expect(late.failures).to.deep.equal([])
    })

    it('are asynchronous let later messages pass', async () => {
      const { promise, resolve } = deferred<boolean>()
      const late = await site(() => promise)
      const client = await late.ready()
      void client.rpc('input', 1)
      await client.rpc('say', 1, { timeout: 1 }).catch(() => {})
      expect(ran).to.deep.equal([])
      const passing = client.rpc('output')
      await until(() => ran.length)
      expect(ran).to.deep.equal(['output'])
      resolve(true)
      await passing
      await until(() => ran.includes('input'))
    })

    it('are asynchronous work as others do', async () => {
      const site1 = await site(async () => true)
      const client = await site1.ready()
      expect(await client.rpc('input', 1)).to.equal(1)
      expect(await client.rpc('output')).to.equal(2)
      const refusing = await site(async () => false)
      expect((await rejection((await refusing.ready()).rpc('input', 1))).code).to.equal('invalid_input')
    })
  })
})

function throwing(error: Error): () => never {
  return () => {
    throw error
  }
}
