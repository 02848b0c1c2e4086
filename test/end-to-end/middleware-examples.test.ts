/** The middleware that the reference shows, as it is written. */
import { readFile } from 'node:fs/promises'
import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { deferred, rejection, type Site, useSites } from './fixture.js'

const reference = await readFile(new URL('../../docs/reference/server.md', import.meta.url), 'utf8')
const code = /```js middleware\n(.*?)```/s.exec(reference)?.[1] ?? ''

describe('the reference’s middleware', () => {
  const sites = useSites()
  const lines: string[] = []
  let site: Site
  let search = deferred()

  beforeEach(async () => {
    lines.length = 0
    search = deferred()
    site = await sites({
      socketController: {
        orders: { add: (_auth: unknown, data: unknown) => data },
        search: () => search.promise.then(() => 'found'),
      },
    })
    const log = (...parts: unknown[]) => lines.push(parts.join(' '))
    new Function('sockets', 'RpcError', 'log', code)(site.sockets, RpcError, log)
  })

  it('logs each request with its duration, and what is refused', async () => {
    const { client, socket } = await site.pair()
    await client.subscribe('room')
    await client.rpc('orders.add', { amount: 0 }).catch(() => {})
    expect(lines.map((line) => line.replace(/\d+ ms$/, '? ms'))).to.deep.equal([
      `authentication  ${socket.sid} ? ms`,
      `subscribe room ${socket.sid} ? ms`,
      `call orders.add ${socket.sid} ? ms`,
    ])
  })

  it('validates what a function gets, and puts a number in the place of a text', async () => {
    const client = await site.ready()
    expect(await client.rpc('orders.add', { amount: '7', a: 1 })).to.deep.equal({ amount: 7, a: 1 })
    for (const data of [{ amount: -1 }, { amount: 'x' }, {}, undefined, null, 7]) {
      const error = await rejection(client.rpc('orders.add', data))
      expect(error).to.deep.include({ code: 'bad_order', data: { field: 'amount' } })
    }
  })

  it('lets a socket search five times at once, and again later', async () => {
    const client = await site.ready()
    const five = [1, 2, 3, 4, 5].map(() => client.rpc('search'))
    expect((await rejection(client.rpc('search'))).code).to.equal('too_many_searches')
    const other = await site.ready()
    const others = other.rpc('search')
    search.resolve()
    expect(await Promise.all([...five, others])).to.deep.equal(Array(6).fill('found'))
    expect(await client.rpc('search')).to.equal('found')
  })
})
