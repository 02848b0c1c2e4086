import { fromAsyncApi } from '@token-socket/contract/asyncapi'
import { expect } from 'chai'

/** A document with one operation, or one event of a channel. */
function document({ operation, event }: { readonly operation?: string; readonly event?: string }) {
  const notes = event === undefined ? {} : { 'x-token-socket': { event } }
  return {
    asyncapi: '3.0.0',
    info: { title: 'names', version: '1' },
    channels: {
      c: { address: event ? 'room-{id}' : 'c', messages: { m: { payload: { type: 'string' }, ...notes } } },
    },
    operations: operation ? { [operation]: { action: 'receive', channel: { $ref: '#/channels/c' } } } : {},
  }
}

describe('names in a generated contract', () => {
  const { NODE_ENV } = process.env

  afterEach(() => {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = NODE_ENV
  })

  it('are refused whatever NODE_ENV is', async () => {
    for (const mode of ['production', 'development'])
      for (const operation of ['then', 'handle', 'auth', '_x', 'toString']) {
        process.env.NODE_ENV = mode
        const error = await fromAsyncApi(document({ operation })).then(String, (cause: Error) => cause)
        expect(error, `${operation} in ${mode}`).to.have.property('name', 'ModelError')
      }
  })

  it('are keys, also an event `__proto__`', async () => {
    expect(await fromAsyncApi(document({ event: '__proto__' }))).to.include("['__proto__']: ")
  })
})
