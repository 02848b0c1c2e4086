import { expect } from 'chai'
import fc from 'fast-check'
import { addressBlock, withoutPort } from '#server/http/address-block.js'

describe('addressBlock', () => {
  const table: readonly (readonly [address: string, block: string])[] = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:db8:1:2::9%eth0', '2001:db8:1:2::/64'],
    ['fd00::9', 'fd00:0:0:0::/64'],
    // With a port, as proxies name it.
    ['192.0.2.7:4711', '192.0.2.7'],
    ['[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
    ['[::ffff:192.0.2.7]:80', '192.0.2.7'],
    // One link, of which all hosts have the same first 64 bits.
    ['fe80::1', 'fe80:0:0:0:0:0:0:1'],
    ['FE80::0001%eth0', 'fe80:0:0:0:0:0:0:1%eth0'],
    ['[fe80::1%eth0]:80', 'fe80:0:0:0:0:0:0:1%eth0'],
    ['fe80::2%eth1', 'fe80:0:0:0:0:0:0:2%eth1'],
    ['febf::2', 'febf:0:0:0:0:0:0:2'],
    ['fec0::2', 'fec0:0:0:0::/64'],
    [`fe80::1%${'x'.repeat(65)}`, `fe80:0:0:0:0:0:0:1%${'x'.repeat(45)}`],
    // An IPv4 address inside.
    ['::ffff:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:FFFF:C000:0207', '192.0.2.7'],
    ['::ffff:0:192.0.2.7', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['64:ff9b::c000:207', '192.0.2.7'],
    ['2002:c000:207::1', '192.0.2.7'],
    ['2002:c000:207:5:6:7:8:9', '192.0.2.7'],
    ['2001:0:cb00:7101:8000:63bf:3fff:fdf8', '192.0.2.7'],
    ['2001:0::', '255.255.255.255'],
    ['64:ff9b:1::192.0.2.7', '64:ff9b:1:0:0:0:c000:207'],
    // The own machine, and what stands beside it.
    ['::1', '0:0:0:0:0:0:0:1'],
    ['0:0:0:0:0:0:0:1', '0:0:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['::192.0.2.7', '0:0:0:0:0:0:c000:207'],
    // No addresses.
    ['unknown:80', 'unknown:80'],
    ['999.0.2.7:80', '999.0.2.7:80'],
    ['[192.0.2.7]:80', '[192.0.2.7]:80'],
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

  it('has every IPv4 address for itself, however it is written, and every port of it', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (address, port) => {
        const spellings = [`${address}:${port}`, `::ffff:${address}`, `[64:ff9b::${address}]:${port}`]
        for (const spelled of [address, ...spellings]) expect(addressBlock(spelled)).to.equal(address)
      }),
    )
  })

  it('takes each spelling of an IPv6 address for the same', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':')
        const { hostname } = new URL(`http://[${long}]`)
        expect(addressBlock(hostname)).to.equal(addressBlock(long))
        expect(addressBlock(`${hostname}:80`)).to.equal(addressBlock(long.toUpperCase()))
      }),
    )
  })
})

describe('withoutPort', () => {
  for (const address of [
    '',
    '192.0.2.7',
    '2001:db8::1:80',
    '::1',
    'fe80::1%eth0',
    'unknown',
    'proxy:80',
    ':80',
  ])
    it(`leaves ${address || 'nothing'} as it is`, () => expect(withoutPort(address)).to.equal(address))
})
