/** docs/coming-from/api-gateway.md: its programs print what the page says, and each row of its table is true. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { next, rejection, type Site, until, useSites } from './fixture.js'
import { GuidePage } from './guide/guide-page.js'

const root = new URL('../..', import.meta.url).pathname

/** Rows by a part of their left side, and the test that shows them. */
const SHOWN_BY: Readonly<Record<string, string>> = {
  'an authorizer': 'test/end-to-end/connect-authentication.test.ts',
  '/@connections/ID`': 'test/end-to-end/connections.test.ts',
  'status 410': 'test/end-to-end/connections.test.ts',
  'connects again': 'test/end-to-end/recovery.test.ts',
  'a ping every': 'test/end-to-end/ping-options.test.ts',
  '128 KiB': 'test/end-to-end/message-sizes.test.ts',
  'binary frames': 'test/end-to-end/raw-hostile.test.ts',
}

/** The left side of each row of the table. */
async function leftSides(): Promise<readonly string[]> {
  const text = await readFile(join(root, 'docs/coming-from/api-gateway.md'), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| '))
  return rows.map((row) => row.split(' | ')[0]?.slice(2) ?? '').slice(1)
}

describe('coming from an API gateway: the same application', () => {
  let page: GuidePage

  before(async () => {
    page = await GuidePage.write('coming-from/api-gateway')
  })

  after(() => page?.remove())

  const runs = [
    ['gateway-server.mjs', 'gateway-client.mjs'],
    ['server.mjs', 'client.mjs'],
    ['server.mjs', 'gateway-client.mjs', '/sockets/raw'],
  ] as const
  for (const [served, client, ...args] of runs)
    it(`${[client, ...args].join(' ')} prints what the page says, with ${served}`, async () => {
      const server = await page.serve(served)
      const { code, output } = await page.run(client, {}, ...args).ended()
      await server.kill()
      expect({ code, output }).to.deep.equal({ code: 0, output: page.prints(client) })
    })
})

describe('coming from an API gateway: the table', () => {
  const sites = useSites()
  const rows: string[] = []
  let site: Site

  /** A row of the table, which is tried here. @param left the beginning of its left side */
  const row = (left: string, run: () => Promise<void>) => {
    rows.push(left)
    it(left, run)
  }

  beforeEach(async () => {
    site = await sites({
      authentication: ({ query: { name } }) => ({ uid: String(name) }),
      socketController: { order: (auth: { uid: string }, data: unknown) => [auth.uid, data] },
      channels: { stock: { subscribe: true } },
    })
  })

  const pair = (actions = {}) => site.pair({ authentication: { name: 'ann' } }, actions)

  row('`$disconnect`', async () => {
    const { client, socket } = await pair()
    const ended = next(site.sockets, 'disconnected')
    await client.end()
    const [closed, reason] = await ended
    expect([closed, reason]).to.deep.equal([socket, 'client_closed'])
  })

  row('a route with an answer', async () => {
    expect(await (await pair()).client.rpc('order', 1)).to.deep.equal(['ann', 1])
  })

  row('a route without an answer', async () => {
    await (await pair()).client.notify('order', 1)
  })

  row('`$default`', async () => {
    const { client, socket } = await pair()
    const got = next(site.sockets, 'message')
    await client.send({ lat: 1 })
    expect(await got).to.deep.equal([socket, { lat: 1 }])
  })

  row('an unknown `action`', async () => {
    const { client } = await pair()
    for (const name of ['nothing', 'constructor'])
      expect((await rejection(client.rpc(name))).code).to.equal('not_found')
  })

  row('ids of requests', async () => {
    const { client } = await pair()
    const answers = await Promise.all([client.rpc('order', 1), client.rpc('order', 2)])
    expect(answers).to.deep.equal([
      ['ann', 1],
      ['ann', 2],
    ])
  })

  row('`connectionId`', async () => {
    const { client, socket } = await pair()
    expect([socket.connectionId, socket.sid]).to.deep.equal([client.sid, client.sid])
  })

  row('a table of connections', async () => {
    const { socket } = await pair()
    const { sockets } = await site.sockets.cluster.sockets({ uid: 'ann' })
    expect(sockets.map(({ sid }) => sid)).to.deep.equal([socket.sid])
  })

  row('a loop over interested connections', async () => {
    const { client } = await pair()
    await client.subscribe('stock')
    const got: unknown[] = []
    client.on('message', (channel, data) => got.push([channel, data]))
    await site.sockets.publish('stock', 4)
    await until(() => got.length > 0)
    expect(got).to.deep.equal([['stock', 4]])
  })

  row('the server asks', async () => {
    const { socket } = await pair({ confirm: (data: number) => data + 1 })
    expect(await socket.rpc('confirm', 1)).to.equal(2)
  })

  it('has no other rows than these, and those that other tests show', async () => {
    const left = await leftSides()
    const known = [...rows, ...Object.keys(SHOWN_BY)]
    expect(left.filter((text) => !known.some((one) => text.includes(one)))).to.deep.equal([])
    expect(known.filter((one) => !left.some((text) => text.includes(one)))).to.deep.equal([])
    expect(Object.values(SHOWN_BY).filter((file) => !existsSync(join(root, file)))).to.deep.equal([])
  })
})
