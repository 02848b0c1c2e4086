import type { Middleware } from '@token-socket/server'
import { expect } from 'chai'
import { MiddlewareStack } from '#server/middleware/middleware-stack.js'

describe('MiddlewareStack', () => {
  const stack = () =>
    new MiddlewareStack({
      limits: { vetoTimeout: 1000, callTimeout: 1000 },
      log: { write: () => {} },
      failed: () => {},
    })

  it('puts nothing around functions where calls have no middleware', () => {
    const own = stack()
    own.use('publish', (_context, next) => next())
    const undo = own.use((_context, next) => next())
    expect(own.aroundCall({}, 1)).not.to.equal(undefined)
    undo()
    expect(own.aroundCall({}, 1)).to.equal(undefined)
  })

  it('takes functions that read fields of any type, and of one', () => {
    const own = stack()
    const names: unknown[] = []
    own.use(({ type, name, channel, event, idempotencyKey, socket, ...fields }, next) => {
      const { after, before, limit, reverse, data, deadline, signal } = fields
      names.push(type, name ?? channel ?? event ?? idempotencyKey, socket.sid, data)
      names.push(after?.length, before?.length, limit?.toFixed(), reverse === true, deadline, signal?.aborted)
      return next()
    })
    const call: Middleware<'call'> = ({ name, deadline, signal }, next) => {
      names.push(name.length, deadline + 1, signal.aborted)
      return next()
    }
    own.use('call', call as Middleware)
    expect(names).to.deep.equal([])
  })

  it('knows which types have some', () => {
    const own = stack()
    expect(own.has('publish')).to.equal(false)
    const undo = own.use('publish', (_context, next) => next())
    expect([own.has('publish'), own.has('broadcast')]).to.deep.equal([true, false])
    undo()
    expect(own.has('publish')).to.equal(false)
  })
})
