import { expect } from 'chai'
import { addressBlock } from '../../packages/server/src/http/address-block.js'

describe('addressBlock', () => {
  const table: readonly (readonly [address: string, block: string])[] = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['', ''],
    ['unknown', 'unknown'],
    ['x'.repeat(65), 'x'.repeat(64)],
  ]
  for (const [address, block] of table) {
    it(`of ${address.slice(0, 30) || 'nothing'} is ${block.slice(0, 30) || 'nothing'}`, () => {
      expect(addressBlock(address)).to.equal(block)
    })
  }

  it('differs between two networks of IPv6', () => {
    expect(addressBlock('2001:db8:1:2::1')).to.not.equal(addressBlock('2001:db8:1:3::1'))
  })
})
