import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { type SinonFakeTimers, useFakeTimers } from 'sinon'
import { readTokenBody, type SignOutRequest } from '#sign-out/request-body.js'
import { rejection } from '../end-to-end/fixture.js'

const TYPE = 'application/secevent+jwt'

const requestOf = (body?: string) => {
  const request = Object.assign(new PassThrough(), {
    method: 'POST',
    headers: { 'content-type': `${TYPE}; a=b` },
  })
  if (body !== undefined) request.end(body)
  return request as unknown as SignOutRequest & PassThrough
}

describe('#readTokenBody', () => {
  let clock: SinonFakeTimers | undefined

  afterEach(() => clock?.restore())

  it('reads a body, and leaves no timer and no listener', async () => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const request = requestOf('a.b.c\n')
    const names = request.eventNames()
    expect(await readTokenBody(request, TYPE)).to.equal('a.b.c')
    expect([clock.countTimers(), request.eventNames()]).to.deep.equal([0, names])
  })

  it('waits for it for 10 s, and then drops what follows', async () => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const request = requestOf()
    request.write('a.b')
    const cause = rejection(readTokenBody(request, TYPE))
    await clock.tickAsync(10_000)
    expect(await cause).to.include({ name: 'RequestError', status: 408 })
    request.end('.c')
    expect(request.readableFlowing).to.equal(true)
  })

  it('may break with an error', async () => {
    const request = requestOf()
    const cause = rejection(readTokenBody(request, TYPE))
    request.destroy(new Error('reset'))
    expect(await cause).to.include({ status: 400 })
  })
})
