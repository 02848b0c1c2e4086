// Attacks on the event loop: each is what one client does; the server may stand still for its sake for 50 ms of CPU time.
import { randomBytes } from 'node:crypto'

const FRAME = 1024 * 1024

/** As many copies of a line as fit into one frame of 1 MiB. */
const frameOf = (line) => `${line}\n`.repeat(Math.floor((FRAME - 16) / (line.length + 1)))

/** A frame of 1 MiB, or of a number of messages, each made from its number. */
function frameOfMany(make, count = Number.POSITIVE_INFINITY) {
  const lines = []
  for (let size = 0, index = 0; index < count; index += 1) {
    const line = JSON.stringify(make(index))
    size += line.length + 1
    if (size > FRAME - 16) break
    lines.push(line)
  }
  return lines.join('\n')
}

const byMember = (frame) => async (target) => (await target.member()).raw(frame)

/** The same messages as SockJS's clients write them. @param path of a session's WebSocket */
const bySockJS = (messages) => async (target) =>
  (await target.member('mallory', '000/mallory1/websocket')).raw(JSON.stringify(messages))

const KEPT = {
  options: { channels: { '*': { subscribe: true, publish: true, history: { size: 100, ttl: 600_000 } } } },
}
const PRESENT = { options: { channels: { '*': { subscribe: true, publish: true, presence: true } } } }

async function askHistory(target, bytes) {
  await target.ask('publish', { channel: 'kept', times: 100, bytes })
  const member = await target.member()
  await member.call({ rpc: '_subscribe', req: { channel: 'kept' } })
  await target.ask('reset')
  await member.raw(
    frameOfMany((index) => ({ rpc: '_history', req: { channel: 'kept' }, uuid: `h${index}` }), 1000),
  )
}

async function manyFrames(target, frame, count) {
  const member = await target.member()
  for (let index = 0; index < count; index += 1) member.ws.send(frame)
}

/** A text frame in so many fragments, as bytes. RFC 6455, section 5.2; a mask of zeros leaves the payload as it is. */
function fragments(text, size) {
  const parts = []
  for (let at = 0; at < text.length; at += size) {
    const payload = Buffer.from(text.slice(at, at + size))
    const first = (at + size >= text.length ? 0x80 : 0) | (at === 0 ? 1 : 0)
    parts.push(Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), payload)
  }
  return Buffer.concat(parts)
}

async function tokenFlood(target) {
  const garbage = randomBytes(5900).toString('base64url')
  const connections = await Promise.all(Array.from({ length: 200 }, () => target.stranger()))
  for (const one of connections)
    one.send({ rpc: 'auth', token: `${garbage.slice(0, 2600)}.${garbage}`.slice(0, 7900), uuid: '1' })
  await Promise.all(connections.map(({ closed }) => closed))
}

async function tokenRequests(target) {
  const query = `callback[toString]=${'x'.repeat(200)}&uid=a&uid=b`
  const urls = Array.from({ length: 500 }, () => `http://127.0.0.1:${target.port}/socket/token?${query}`)
  await Promise.all(urls.map((url) => fetch(url).then((answer) => answer.text())))
}

async function comeAndGo(target) {
  for (let uid = 0; uid < 50; uid += 1)
    await (await target.member(`member${uid}`)).call({ rpc: '_subscribe', req: { channel: 'room' } })
  const member = await target.member()
  await target.ask('reset')
  await member.raw(
    frameOfMany(
      (index) => ({
        rpc: index % 2 ? '_unsubscribe' : '_subscribe',
        req: { channel: 'room' },
        uuid: `p${index}`,
      }),
      5000,
    ),
  )
}

async function fanOut(target) {
  const readers = await Promise.all(
    Array.from({ length: 300 }, (_, index) => target.member(`reader${index}`)),
  )
  await Promise.all(readers.map((reader) => reader.call({ rpc: '_subscribe', req: { channel: 'room' } })))
  const member = await target.member()
  await target.ask('reset')
  await member.raw(
    frameOfMany(
      (index) => ({ rpc: '_publish', req: { channel: 'room', data: 'x' }, uuid: `f${index}` }),
      10_000,
    ),
  )
}

/** Several sockets of one member send the same frame, some times each. */
const bySockets = (frame, count, times) => async (target) => {
  const members = await Promise.all(Array.from({ length: count }, () => target.member()))
  await target.ask('reset')
  for (let time = 0; time < times; time += 1) for (const member of members) member.ws.send(frame)
  await Promise.all(members.map((member) => member.call({ rpc: 'echo' })))
}

/** Fifty sockets of one member, on a thousand channels each: fifty thousand deliveries for each broadcast. */
async function broadcasts(target) {
  const sockets = await Promise.all(Array.from({ length: 50 }, () => target.member()))
  for (const socket of sockets)
    await socket.raw(
      frameOfMany((index) => ({ rpc: '_subscribe', req: { channel: `c${index}` }, uuid: `s${index}` }), 1000),
    )
  await Promise.all(sockets.map((socket) => socket.call({ rpc: 'echo' })))
  await target.ask('reset')
  const [first] = sockets
  for (let index = 0; index < 8; index += 1)
    await first.send({ rpc: '_broadcast', req: { data: 'x'.repeat(32_000) }, uuid: `b${index}` })
}

async function leaveManyChannels(target) {
  const member = await target.member()
  await member.raw(
    frameOfMany((index) => ({ rpc: '_subscribe', req: { channel: `c${index}` }, uuid: `s${index}` }), 1000),
  )
  await member.call({ rpc: 'echo' })
  await target.ask('reset')
  member.ws.terminate()
}

/** Sockets of one member, on 1,000 channels each, are cut at once. */
const leaveAtOnce = (count) => async (target) => {
  const members = await Promise.all(Array.from({ length: count }, () => target.member()))
  for (const [socket, member] of members.entries()) {
    const subscribe = (index) => member.call({ rpc: '_subscribe', req: { channel: `c${socket}-${index}` } })
    await Promise.all(Array.from({ length: 1000 }, (_, index) => subscribe(index)))
  }
  await target.ask('reset')
  for (const { ws } of members) ws.terminate()
}

/** A member enters a room of 300 with 4 kB each, again and again. */
async function enterFullRoom(target) {
  const subscribe = { rpc: '_subscribe', req: { channel: 'room' } }
  for (let uid = 0; uid < 300; uid += 1) {
    const member = await target.member(`member${uid}`)
    await member.call(subscribe)
    member.ws._socket.removeAllListeners('data')
    member.ws._socket.on('data', () => {})
  }
  const members = await Promise.all(Array.from({ length: 3 }, () => target.member()))
  await target.ask('reset')
  for (const member of members) member.raw(frameOfMany((index) => ({ ...subscribe, uuid: `${index}` }), 19))
  await Promise.all(members.map((member) => member.call({ rpc: 'echo' })))
}

/** @type {readonly { name: string, settings?: object, run(target: import('./target.mjs').Target): Promise<unknown> }[]} */
export const stalls = [
  { name: '1 MiB of lines `x`', run: byMember(frameOf('x')) },
  { name: '1 MiB of lines `{}`', run: byMember(frameOf('{}')) },
  { name: '1 MiB of empty lines', run: byMember('\n'.repeat(FRAME - 16)) },
  { name: '1 MiB of `_ping`', run: byMember(frameOfMany((i) => ({ rpc: '_ping', uuid: `${i}` }))) },
  { name: '1 MiB of unknown names', run: byMember(frameOfMany((i) => ({ rpc: 'no.such', uuid: `${i}` }))) },
  { name: '1 MiB of `echo`', run: byMember(frameOfMany((i) => ({ rpc: 'echo', req: i, uuid: `${i}` }))) },
  {
    name: '1 MiB of publications',
    run: byMember(frameOfMany((i) => ({ rpc: '_publish', req: { channel: 'a', data: i }, uuid: `${i}` }))),
  },
  {
    name: '1 MiB of subscribe and unsubscribe',
    run: byMember(
      frameOfMany((i) => ({
        rpc: i % 2 ? '_unsubscribe' : '_subscribe',
        req: { channel: 'a' },
        uuid: `${i}`,
      })),
    ),
  },
  {
    name: '1 MiB of subscribe, each a channel',
    run: byMember(frameOfMany((i) => ({ rpc: '_subscribe', req: { channel: `c${i}` }, uuid: `${i}` }))),
  },
  {
    name: '1 MiB of broadcasts',
    run: byMember(frameOfMany((i) => ({ rpc: '_broadcast', req: { data: i }, uuid: `${i}` }))),
  },
  {
    name: '1 MiB of answers to nothing',
    run: byMember(frameOfMany((i) => ({ rpc: '_rpc', fid: `${i}`, resp: { data: 1 } }))),
  },
  {
    name: '1 MiB of second `auth`',
    run: byMember(frameOfMany((i) => ({ rpc: 'auth', token: 'x', uuid: `${i}` }))),
  },
  {
    name: '20 sockets send 1 MiB of `{}` in a message, twice',
    run: bySockets(`{"rpc":"echo","uuid":"1","req":[${'{},'.repeat(349_000)}1]}`, 20, 2),
  },
  { name: '1 MiB of `[`', run: byMember('['.repeat(FRAME - 16)) },
  {
    name: 'SockJS: 1 MiB of `[`',
    run: async (target) =>
      (await target.member('mallory', '000/mallory1/websocket')).raw('['.repeat(FRAME - 16)),
  },
  { name: '1 MiB of lines `[[[…`', run: byMember(frameOf('['.repeat(1000))) },
  {
    name: '1 MiB of lone surrogates',
    run: byMember(JSON.stringify({ rpc: 'echo', req: '\\ud800'.repeat(FRAME / 8), uuid: '1' })),
  },
  { name: 'SockJS: 1 MiB of `"x"`', run: bySockJS(Array(FRAME / 4 - 16).fill('x')) },
  { name: 'SockJS: 1 MiB of numbers', run: bySockJS(Array(FRAME / 2 - 16).fill(1)) },
  { name: '100,000 small wrong frames', run: (target) => manyFrames(target, 'x', 100_000) },
  {
    name: '100,000 small frames of `_ping`',
    run: (target) => manyFrames(target, '{"rpc":"_ping","uuid":"1"}', 100_000),
  },
  {
    name: 'one message in 8,000 fragments',
    run: async (target) => {
      const member = await target.member()
      member.ws._socket.write(fragments(JSON.stringify({ rpc: 'echo', req: 'x'.repeat(8000), uuid: '1' }), 1))
    },
  },
  {
    name: '100,000 pings',
    run: async (target) => {
      const { ws } = await target.member()
      for (let i = 0; i < 100_000; i += 1) ws.ping()
    },
  },
  { name: '1,000 history pages of 300 kB', settings: KEPT, run: (target) => askHistory(target, 3000) },
  { name: '1,000 history pages of 3 MB', settings: KEPT, run: (target) => askHistory(target, 30_000) },
  { name: '5,000 times on and off presence with 50 members', settings: PRESENT, run: comeAndGo },
  { name: '10,000 publications to 300 readers', run: fanOut },
  { name: '8 broadcasts of 32 kB to 50,000 subscriptions', run: broadcasts },
  { name: 'leaves 1,000 channels at once', run: leaveManyChannels },
  {
    name: '100 subscribes that ten regular expressions of the claims refuse',
    settings: {
      options: { channels: { 'x*': { subscribe: true } } },
      claims: Object.fromEntries(
        Array.from({ length: 10 }, (_, i) => [`#regex:(.*a){40}b{40}.*${i}`, { subscribe: true }]),
      ),
    },
    run: byMember(
      frameOfMany(
        (i) => ({ rpc: '_subscribe', req: { channel: `${'a'.repeat(250)}${i}` }, uuid: `${i}` }),
        100,
      ),
    ),
  },
  {
    name: 'lists of 300 members with 4 kB each, 19 times for three sockets',
    settings: { ...PRESENT, umd: 4000 },
    run: enterFullRoom,
  },
  { name: '100 sockets leave 1,000 channels each at once', run: leaveAtOnce(100) },
  {
    name: '10 sockets leave the presence of 1,000 channels each at once',
    settings: PRESENT,
    run: leaveAtOnce(10),
  },
  { name: '200 connections with 7.9 kB of garbage for a token', run: tokenFlood },
  { name: '500 odd token requests', run: tokenRequests },
]
