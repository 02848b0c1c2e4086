/** What binds the sessions of HTTP transports, where the tests with servers have no such address, origin or cookie. */
import type { IncomingMessage } from 'node:http'
import { expect } from 'chai'
import { readCookie } from '#server/http/cookies.js'
import { SessionBinding, SessionOwner } from '#server/transports/session-binding.js'

describe('SessionBinding', () => {
  const binding = new SessionBinding({ by: 'address', trusts: () => false })

  const holder = (remoteAddress: string, origin?: string) =>
    binding.holderOf({ headers: {}, socket: { remoteAddress } } as unknown as IncomingMessage, {
      origin,
      allowed: true,
      isForeign: origin !== undefined,
    })

  const admits = (one: ReturnType<typeof holder>, other: ReturnType<typeof holder>) =>
    new SessionOwner(one, undefined).admits(other)

  it('takes the IPv6 addresses of one subscriber for one, and those of others for others', () => {
    expect(admits(holder('2001:db8:1:2::1'), holder('2001:db8:1:2:ffff::9'))).to.equal(true)
    expect(admits(holder('2001:db8:1:2::1'), holder('2001:db8:1:3::1'))).to.equal(false)
  })

  it('keeps no long origin, and tells those apart that begin alike', () => {
    const long = `https://${'a'.repeat(8000)}`
    expect(holder('192.0.2.1', `${long}.com`).origin.length).to.be.below(129)
    expect(admits(holder('192.0.2.1', `${long}.com`), holder('192.0.2.1', `${long}.com`))).to.equal(true)
    expect(admits(holder('192.0.2.1', `${long}.com`), holder('192.0.2.1', `${long}.org`))).to.equal(false)
  })
})

describe('readCookie', () => {
  for (const [header, value] of [
    [undefined, undefined],
    ['', undefined],
    ['id', undefined],
    ['i', undefined],
    ['idd', undefined],
    ['id=', ''],
    ['id=1', '1'],
    ['a=0; id = 1 ;b=2', '1'],
    ['id=1; id=2', '1'],
    ['my-id=0; id=1', '1'],
    ['id=a=b', 'a=b'],
  ] as const)
    it(`reads ${value} of ${header}`, () => expect(readCookie(header, 'id')).to.equal(value))
})
