// What breaks RFC 6455, and what only strains it: the connection answers, or ends with a close code that is documented.
import { Breach, until } from './breach.mjs'
import { ALL, frame } from './frames.mjs'
import { Peer, wsFrame } from './peer.mjs'

const SENTINEL = JSON.stringify({ rpc: 'echo', req: 1, uuid: 'sentinel' })
const OPCODES = [0, 1, 1, 1, 2, 3, 7, 8, 9, 10, 11, 15]
const BAD_UTF8 = [
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
]
const SIZES = [0, 1, 125, 126, 65_535, 65_536, 2 ** 31, 2 ** 52, 0xffff]

/** A frame with anything wrong in it, or nothing. */
function anyFrame(random) {
  const opcode = random.pick(OPCODES)
  const head = (random.chance(75) ? 0x80 : 0) | (random.chance(10) ? random.number(8) << 4 : 0) | opcode
  const payload = random.chance(10) ? random.pick(BAD_UTF8) : payloadOf(random, opcode)
  const size = random.chance(5) ? random.pick(SIZES) : payload.length
  return wsFrame(head, payload, { mask: random.chance(92), size })
}

function payloadOf(random, opcode) {
  if (opcode !== 8) return Buffer.from(frame(random, `f-${random.number(1000)}`, ALL))
  const code = Buffer.alloc(2)
  code.writeUInt16BE(random.pick([0, 999, 1000, 1005, 1006, 1015, 2999, 3000, 4005, 4999, 5000, 65_535]))
  return Buffer.concat([code, Buffer.from('x'.repeat(random.pick([0, 10, 123, 124])))]).subarray(
    0,
    random.pick([0, 1, 2, 200]),
  )
}

/** One text in fragments, with control frames between them. */
function fragments(random) {
  const bytes = Buffer.from(frame(random, 'fragmented', ALL))
  const count = 1 + random.number(6)
  const size = Math.ceil(bytes.length / count)
  return Array.from({ length: count }, (_, index) => {
    const part = bytes.subarray(index * size, (index + 1) * size)
    const head = (index === count - 1 ? 0x80 : 0) | (index === 0 ? 1 : 0)
    return random.chance(30) ? [wsFrame(head, part), wsFrame(0x89, Buffer.from('x'))] : [wsFrame(head, part)]
  }).flat()
}

function sequence(random) {
  if (random.chance(30)) return Buffer.concat(fragments(random))
  return Buffer.concat(random.list(1, 6, () => anyFrame(random)))
}

/** Sends a sequence, then a call, then the end. @returns whether the call was answered */
async function attempt(site, bytes, isMember) {
  const peer = await Peer.open(site.port, isMember ? site.token() : undefined)
  let isAnswered = false
  peer.heard = (line) => {
    if (JSON.parse(line).uuid === 'sentinel') isAnswered = true
  }
  peer.write(bytes)
  peer.write(wsFrame(0x81, Buffer.from(SENTINEL)))
  // A frame that says it is longer than it is swallows the call: then only the end is left.
  await peer.end()
  if (!isAnswered) peer.checkCode(true)
  return isAnswered
}

export async function rawFrames(random, count, site) {
  const result = { answered: 0, closed: 0 }
  const one = async (bytes, isMember) => {
    const isAnswered = await attempt(site, bytes, isMember).catch((error) => {
      throw error instanceof Breach ? new Breach(error.message, bytes.toString('hex')) : error
    })
    result[isAnswered ? 'answered' : 'closed'] += 1
  }
  for (let left = count; left > 0; left -= 16) {
    const inputs = Array.from({ length: Math.min(16, left) }, () => [sequence(random), random.chance(70)])
    await Promise.all(inputs.map((input) => one(...input)))
  }
  await until(() => true, '')
  return result
}
