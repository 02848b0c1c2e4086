import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { readClaims } from '#server/claims/claims.js'
import {
  mergePages,
  type NodePage,
  PageCollector,
  readRange,
  type SocketInfo,
  type SocketPageOptions,
} from '#server/cluster/socket-pages.js'
import { Random } from '../../protocol/random.js'
import { makeSocket } from '../sockets.js'

type Sockets = readonly ReturnType<typeof makeSocket>['socket'][]

function partOf(sockets: Sockets, options: SocketPageOptions): NodePage {
  const collector = new PageCollector(readRange(options))
  for (const socket of sockets) collector.add(socket)
  return collector.page()
}

function pageOf(nodes: readonly Sockets[], options: SocketPageOptions) {
  return mergePages(
    nodes.map((sockets) => partOf(sockets, options)),
    readRange(options),
  )
}

/** All pages, one after the other. */
function pagesOf(nodes: readonly Sockets[], limit: number): (readonly SocketInfo[])[] {
  const pages: (readonly SocketInfo[])[] = []
  let next: string | undefined
  do {
    const page = pageOf(nodes, { limit, ...(next !== undefined && { after: next }) })
    pages.push(page.sockets)
    next = page.next
  } while (next !== undefined)
  return pages
}

const sidsOf = (sockets: readonly { readonly sid: string }[]) => sockets.map(({ sid }) => sid)

function failure(run: () => unknown): RpcError {
  try {
    run()
  } catch (error) {
    if (RpcError.is(error)) return error
  }
  throw new Error('nothing was thrown')
}

describe('pages of sockets', () => {
  const make = (sid: string, more: object = {}) => makeSocket({ identity: { sid, ...more } }).socket

  it('give every socket once, in the order of their ids, however they lie on nodes', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const source = new Random(seed)
      const random = (below: number) => source.number(below)
      const nodes = Array.from({ length: 1 + random(4) }, (_, node) =>
        Array.from({ length: random(30) }, (_, index) => make(`${random(1_000_000)}-${index}.n${node}`)),
      )
      const limit = 1 + random(12)
      const pages = pagesOf(nodes, limit)
      const all = nodes.flat().map(({ sid }) => sid)
      expect(sidsOf(pages.flat()), `seed ${seed}`).to.deep.equal(all.sort())
      for (const page of pages) expect(page.length).to.be.at.most(limit)
      for (const page of pages.slice(0, -1)) expect(page, `seed ${seed}`).not.to.have.length(0)
    }
  })

  it('are bounded in their size too, and pass over nothing', () => {
    const channels = Array.from({ length: 90 }, (_, index) => `${index}`.padEnd(250, '\u0001'))
    const nodes = ['a', 'b'].map((node) =>
      Array.from({ length: 20 }, (_, index) => {
        const socket = make(`${String(index).padStart(2, '0')}.${node}`)
        for (const channel of channels) socket.addChannel(channel)
        return socket
      }),
    )
    for (const sockets of nodes)
      expect(JSON.stringify(partOf(sockets, { limit: 100 })).length).to.be.below(600 * 1024)
    const pages = pagesOf(nodes, 100)
    for (const page of pages) expect(JSON.stringify(page).length).to.be.below(600 * 1024)
    expect(pages.length).to.be.above(5)
    expect(sidsOf(pages.flat())).to.deep.equal(sidsOf(nodes.flat()).sort())
  })

  it('wait for a node whose part was cut by its size, however small the sockets of others are', () => {
    const heavy = Array.from({ length: 90 }, (_, index) => `${index}`.padEnd(250, '\u0001'))
    for (let seed = 1; seed <= 8; seed += 1) {
      const random = new Random(seed)
      const nodes = ['a', 'b', 'c'].map((node, share) =>
        Array.from({ length: 12 }, (_, index) => {
          const socket = make(`${String(random.number(1000)).padStart(3, '0')}-${index}.${node}`)
          // Those of node a are all large, and none of node c is.
          if (random.number(3) < 3 - 1.5 * share) for (const channel of heavy) socket.addChannel(channel)
          return socket
        }),
      )
      expect(partOf(nodes[0] ?? [], { limit: 100 }).more, `seed ${seed}`).to.equal(true)
      const pages = pagesOf(nodes, 100)
      expect(sidsOf(pages.flat()), `seed ${seed}`).to.deep.equal(sidsOf(nodes.flat()).sort())
    }
  })

  it('say who a socket is and where, and nothing of its auth', () => {
    const identity = { claims: readClaims({ uid: 'ann' }), session: 'h'.repeat(43), auth: { secret: 1 } }
    const socket = make('a.b', identity)
    for (let index = 0; index < 101; index += 1) socket.addChannel(`c${index}`)
    const { sid, transport, ip, created } = socket
    const [info] = partOf([socket], {}).sockets
    expect(info).to.deep.equal({
      sid,
      uid: 'ann',
      session: `sha256:${'h'.repeat(43)}`,
      transport,
      ip,
      created,
      channels: socket.channels.slice(0, 100),
      channelCount: 101,
    })
    const [bare] = partOf([make('c.d', { ip: undefined })], {}).sockets
    expect(Object.keys(bare ?? {})).to.deep.equal(['sid', 'transport', 'created', 'channels', 'channelCount'])
  })

  it('have 100 sockets unless told otherwise, and 1000 at most', () => {
    expect(readRange()).to.deep.equal({ limit: 100, after: '' })
    const { code, data } = failure(() => readRange({ limit: 1001 }))
    expect([code, data]).to.deep.equal(['too_long', { field: 'limit', limit: 1000 }])
    for (const limit of [0, -1, 1.5, Number.NaN, '5', null])
      expect(failure(() => readRange({ limit: limit as never })).data).to.deep.equal({ field: 'limit' })
  })

  it('begin only where a page ended', () => {
    const { next } = pageOf([[make('a.n'), make('b.n')]], { limit: 1 })
    expect(readRange({ after: String(next) }).after).to.equal('a.n')
    const bad = [
      '',
      'a.n',
      `${next}x`,
      `${next}=`,
      ` ${next}`,
      's1.',
      's1.YQ',
      `s2${next?.slice(2)}`,
      's1.'.repeat(1000),
      7,
      {},
    ]
    for (const after of bad)
      expect(failure(() => readRange({ after: after as never })).data, String(after)).to.deep.equal({
        field: 'after',
      })
  })
})
