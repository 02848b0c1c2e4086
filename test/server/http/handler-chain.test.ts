import { expect } from 'chai'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { chainHandlers } from '#server/http/handler-chain.js'

const request = {} as Request
const response = {} as Response

/** How a chain ends: with what is given to `next`, or `undefined`. */
function run(handlers: unknown[]): Promise<unknown> {
  return new Promise((resolve) => {
    chainHandlers(handlers as RequestHandler[])(request, response, resolve as NextFunction)
  })
}

describe('chainHandlers', () => {
  const cause = new Error('broken')
  let seen: unknown[]
  const step = (name: string) => (_request: Request, _response: Response, next: NextFunction) => {
    seen.push(name)
    next()
  }

  beforeEach(() => {
    seen = []
  })

  it('runs handlers one after the other, and then what follows', async () => {
    expect(await run([step('a'), step('b')])).to.equal(undefined)
    expect(seen).to.deep.equal(['a', 'b'])
  })

  for (const [how, broken] of [
    ['is given to `next`', (_q: Request, _s: Response, next: NextFunction) => next(cause)],
    [
      'is thrown',
      () => {
        throw cause
      },
    ],
    ['a promise rejects with', async () => Promise.reject(cause)],
  ] as const) {
    it(`passes what ${how} on, past the handlers that take no errors`, async () => {
      expect(await run([broken, step('skipped')])).to.equal(cause)
      expect(seen).to.deep.equal([])
    })

    it(`gives what ${how} to a handler of four parameters, which may mend it`, async () => {
      const mend = (error: unknown, _q: Request, _s: Response, next: NextFunction) => {
        seen.push(error)
        next()
      }
      expect(await run([mend, broken, step('skipped'), mend, step('after')])).to.equal(undefined)
      expect(seen).to.deep.equal([cause, 'after'])
    })
  }

  it('leaves at once with `next("route")`', async () => {
    const leave = (_q: Request, _s: Response, next: NextFunction) => next('route')
    expect(await run([leave, step('skipped')])).to.equal('route')
    expect(seen).to.deep.equal([])
  })

  it('gives what a handler rejects with as an error, also if that is nothing', async () => {
    expect(await run([() => Promise.reject()])).to.be.instanceOf(Error)
  })
})
