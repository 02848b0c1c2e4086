// Attacks on memory: what one stranger, or one member, can make the server keep. Each has a bound in bytes for each attacker.
import { once } from 'node:events'
import { sleep } from './target.mjs'

const KIB = 1024
const MIB = 1024 * KIB
const STRANGER = 32 * KIB
const TEXT = 1 << 0

/** The start of a text frame of so many bytes, masked with zeros. RFC 6455, section 5.2. @param fin whether it is the last */
function frameHead(length, fin = true, opcode = TEXT) {
  const head = Buffer.alloc(14)
  head[0] = (fin ? 0x80 : 0) | opcode
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

async function many(count, open) {
  const opened = []
  for (let index = 0; index < count; index += 1) opened.push(await open(index))
  return opened
}

async function upgraded(target, path = 'websocket') {
  const { ws } = await target.stranger(path)
  return ws._socket
}

const post = (path, length) =>
  `POST /sockets/${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${length}\r\n\r\n`

/** An upgrade with so many headers besides its own. @param length of each header's value */
function upgrade(count, length = 8) {
  const own = [
    'GET /sockets/websocket HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const others = Array.from({ length: count }, (_, at) => `X${at}: ${'a'.repeat(length)}`)
  return `${[...own, ...others].join('\r\n')}\r\n\r\n`
}

/** Each in a session of its own: a stranger's session reads one at a time. */
async function bodies(target, count, size) {
  return many(count, async (n) => {
    const open = target.tcp(post(`000/stranger${n}/xhr`, 0))
    await once(open, 'data')
    open.destroy()
    return target.tcp(post(`000/stranger${n}/xhr_send`, size + 64), 'a'.repeat(size))
  })
}

/**
 * `attackers` is how many share what is kept; `limit` is for each of them; `settle` the milliseconds to wait before looking.
 */
export const strangers = [
  {
    name: 'a WebSocket that says nothing',
    attackers: 500,
    limit: STRANGER,
    run: (target) => many(500, () => upgraded(target)),
  },
  {
    name: 'a WebSocket with 600 short headers',
    attackers: 200,
    limit: STRANGER,
    run: (target) => many(200, () => target.tcp(upgrade(600))),
  },
  {
    name: 'a WebSocket with 14 kB of headers, open',
    attackers: 200,
    limit: 8 * KIB,
    run: (target) => many(200, () => target.tcp(upgrade(70, 200))),
  },
  {
    name: 'a frame of 1 MiB, not finished',
    attackers: 50,
    limit: STRANGER,
    run: (target) =>
      many(50, async () =>
        (await upgraded(target)).write(Buffer.concat([frameHead(MIB), Buffer.alloc(MIB - 16, 97)])),
      ),
  },
  {
    name: 'SockJS: a frame of 3 MiB, not finished',
    attackers: 20,
    limit: STRANGER,
    run: (target) =>
      many(20, async (n) =>
        (await upgraded(target, `000/stranger${n}/websocket`)).write(
          Buffer.concat([frameHead(3 * MIB), Buffer.alloc(3 * MIB - 16, 97)]),
        ),
      ),
  },
  {
    name: 'fragments of 1 kB, without an end',
    attackers: 50,
    limit: STRANGER,
    run: (target) =>
      many(50, async () => {
        const socket = await upgraded(target)
        const payload = Buffer.alloc(KIB, 97)
        for (let n = 0; n < 200; n += 1)
          socket.write(Buffer.concat([frameHead(KIB, false, n === 0 ? TEXT : 0), payload]))
      }),
  },
  {
    name: 'an `xhr_send` of 3 MiB, not finished',
    attackers: 40,
    limit: STRANGER,
    run: (target) => bodies(target, 40, 3 * MIB - 64),
  },
  {
    name: 'an `xhr_send` of 8 kB, not finished',
    attackers: 200,
    limit: STRANGER,
    run: (target) => bodies(target, 200, 8000),
  },
  {
    name: 'an `xhr_send` of 16 kB, not finished',
    attackers: 200,
    limit: STRANGER,
    run: (target) => bodies(target, 200, 16_000),
  },
  {
    name: 'an `xhr_send` of 49 kB, not finished',
    attackers: 200,
    limit: STRANGER,
    run: (target) => bodies(target, 200, 49_000),
  },
  {
    name: 'a polling session',
    attackers: 500,
    limit: STRANGER,
    run: (target) => many(500, async (n) => once(target.tcp(post(`000/polling${n}/xhr`, 0)), 'data')),
  },
  {
    name: 'a token request, not used',
    attackers: 2000,
    limit: STRANGER,
    run: (target) => many(2000, (n) => target.token(`guest${n}`)),
  },
  {
    name: 'half a request',
    attackers: 500,
    limit: STRANGER,
    run: (target) => many(500, () => target.tcp(`GET /sockets/websocket HTTP/1.1\r\nX: ${'a'.repeat(8000)}`)),
  },
]

const OPEN = {
  options: {
    channels: {
      '*': { subscribe: true, publish: true, presence: true, history: { size: 100, ttl: 600_000 } },
    },
  },
}

export const members = [
  {
    name: 'calls of 1 MB, as many as may run',
    limit: 40 * MIB,
    run: async (target) => {
      const member = await target.member()
      for (let n = 0; n < 200; n += 1)
        await member.send({ rpc: 'later', req: 'x'.repeat(1_000_000), uuid: `l${n}` })
      await sleep(1000)
    },
  },
  {
    name: '1,000 subscriptions',
    limit: 8 * MIB,
    settings: OPEN,
    run: async (target) => {
      const member = await target.member()
      for (let n = 0; n < 1000; n += 1)
        await member.send({ rpc: '_subscribe', req: { channel: `${'c'.repeat(250)}${n}` }, uuid: `s${n}` })
      await member.call({ rpc: 'echo' })
    },
  },
  {
    name: '100,000 channels that keep one publication',
    limit: 128 * MIB,
    settings: OPEN,
    run: (target) => publishes(target, (n) => ({ channel: `channel${n}`, data: 'x' }), 100_000),
  },
  {
    name: '100,000 idempotency keys',
    limit: 32 * MIB,
    settings: OPEN,
    run: (target) => publishes(target, (n) => ({ channel: 'a', data: 'x', key: `key${n}` }), 100_000),
  },
  {
    name: 'publications of 32 kB, reads nothing',
    limit: 24 * MIB,
    settings: OPEN,
    run: async (target) => {
      const reader = await target.member('reader')
      await reader.call({ rpc: '_subscribe', req: { channel: 'room' } })
      reader.stopReading()
      const writer = await target.member('writer')
      for (let n = 0; n < 1500; n += 1)
        await writer.call({ rpc: '_publish', req: { channel: 'room', data: 'x'.repeat(32_000) } })
    },
  },
  {
    name: 'history pages of 3 MB, reads nothing',
    limit: 24 * MIB,
    settings: OPEN,
    run: async (target) => {
      await target.ask('publish', { channel: 'kept', times: 100, bytes: 30_000 })
      const reader = await target.member('reader')
      await reader.call({ rpc: '_subscribe', req: { channel: 'kept' } })
      reader.stopReading()
      for (let n = 0; n < 1000; n += 1)
        await reader.send({ rpc: '_history', req: { channel: 'kept' }, uuid: `h${n}` })
      await sleep(2000)
    },
  },
  {
    name: 'answers of 1 MB, reads nothing',
    limit: 40 * MIB,
    run: async (target) => {
      const reader = await target.member('reader')
      reader.stopReading()
      for (let n = 0; n < 200; n += 1)
        await reader.send({ rpc: 'echo', req: 'x'.repeat(1_000_000), uuid: `e${n}` })
      await sleep(2000)
    },
  },
]

/** Publishes with as many under way as the server takes, and goes on where it refuses. */
async function publishes(target, make, count) {
  const member = await target.member('writer')
  for (let n = 0; n < count; n += 500) {
    const calls = Array.from({ length: 500 }, (_, index) =>
      member.call({ rpc: '_publish', req: make(n + index) }),
    )
    await Promise.all(calls)
  }
}
