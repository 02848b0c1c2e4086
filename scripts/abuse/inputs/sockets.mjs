// Frames over WebSockets, one in each frame of RFC 6455 or many: each is answered as it has to be.
import { ALL, frame, repliesOf } from './frames.mjs'
import { Peer } from './peer.mjs'

/** Frames that are under way at once, on one connection. */
const WINDOW = 100

/** Connections at once. */
const PEERS = 4

const SEPARATORS = ['\n', '\n\n', '\r\n', '\n\r\n', '\n \n']

/** One frame each. */
function single(peer, texts) {
  for (const text of texts) peer.say(text)
}

/** Several a frame, with whatever between them. */
function joined(peer, texts, random) {
  for (let at = 0; at < texts.length; ) {
    const part = texts.slice(at, at + 1 + random.number(20))
    at += part.length
    const text =
      part.reduce((all, one) => all + random.pick(SEPARATORS) + one, '') + random.pick(['', '\n', '\r'])
    peer.say(text)
  }
}

async function session(site, random, { count, rpcs, send }) {
  const open = async () => {
    const opened = await Peer.open(site.port, site.token(`user-${random.number(3)}`))
    opened.replies = (fid) => repliesOf(random, fid)
    return opened
  }
  let peer = await open()
  const result = { answered: 0, closed: 0 }
  for (let left = count; left > 0; left -= WINDOW) {
    const size = Math.min(WINDOW, left)
    const texts = Array.from({ length: size }, (_, index) =>
      peer.fill(frame(random, `${left}-${index}`, rpcs), site),
    )
    send(peer, texts, random)
    await peer.settled()
    if (!peer.isClosed) continue
    result.closed += 1
    result.answered += peer.answered
    peer = await open()
  }
  result.answered += peer.answered
  await peer.end()
  return result
}

async function sessions(site, random, { count, ...settings }) {
  const share = Math.ceil(count / PEERS)
  const seeds = Array.from({ length: PEERS }, () => new random.constructor(random.number(2 ** 31)))
  const results = await Promise.all(seeds.map((own) => session(site, own, { count: share, ...settings })))
  return results.reduce((sum, one) => ({
    answered: sum.answered + one.answered,
    closed: sum.closed + one.closed,
  }))
}

export const frames = (random, count, site) => sessions(site, random, { count, rpcs: ALL, send: single })

export const batches = (random, count, site) => sessions(site, random, { count, rpcs: ALL, send: joined })

const POSITIONS = ['_subscribe', '_subscribe', '_subscribe', '_unsubscribe', '_publish']

export const positions = (random, count, site) =>
  sessions(site, random, { count, rpcs: POSITIONS, send: joined })

const HISTORIES = ['_history', '_history', '_history', '_subscribe', '_publish']

/** Many with a token for the channel, whose claims are anything. */
const GRANTS = ['_subscribe', '_subscribe', '_unsubscribe', '_publish', '_history']

export const channelTokens = (random, count, site) =>
  sessions(site, random, { count, rpcs: GRANTS, send: joined })

export const histories = (random, count, site) =>
  sessions(site, random, { count, rpcs: HISTORIES, send: joined })
