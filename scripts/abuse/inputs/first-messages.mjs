// What strangers say first: nothing but a good token lets anybody in, and each connection ends with a documented code.
import { CLOSE_CODES } from '@token-socket/protocol'
import { Breach, until } from './breach.mjs'
import { ALL, frame } from './frames.mjs'
import { Peer } from './peer.mjs'
import { forged, isGood } from './tokens.mjs'
import { mutateFields, object, quoted, value } from './values.mjs'

function firstOf(random) {
  const token = forged(random)
  const fields = [
    ['rpc', '"auth"'],
    ['token', quoted(token)],
    ['uuid', '"auth"'],
    ['version', value(random, 0)],
  ]
  const kind = random.number(10)
  if (kind < 4) return { token, text: object(fields) }
  if (kind < 7) return { token, text: object(mutateFields(random, fields)) }
  if (kind < 8) return { token, text: `${object(fields)}\n${frame(random, 'second', ALL)}` }
  return { token, text: frame(random, 'first', [...ALL, 'auth']) }
}

async function attempt(site, { token, text }) {
  const peer = await Peer.open(site.port)
  let isIn = false
  peer.heard = (line) => {
    isIn ||= JSON.parse(line).resp === 'success'
  }
  peer.sendText(text)
  // Without a message in it, a frame is no first message.
  const hasMessage = text.split('\n').some((line) => line !== '')
  if (hasMessage) await until(() => peer.isClosed || isIn, 'a stranger is neither let in nor closed')
  if (isIn && !isGood(token)) throw new Breach('a token lets in that must not')
  if (hasMessage && !isIn) peer.checkCode()
  // What came first is judged when it comes.
  if (peer.code === CLOSE_CODES.auth_timeout.code && hasMessage)
    throw new Breach('only time ended a stranger')
  await peer.end()
}

/** How many are sent at once: some are closed only when their time is over. */
const BATCH = 128

export async function firstMessages(random, count, site) {
  for (let left = count; left > 0; left -= BATCH) {
    const inputs = Array.from({ length: Math.min(BATCH, left) }, () => firstOf(random))
    const attempts = inputs.map(async (input) => {
      await attempt(site, input).catch((error) => {
        throw error instanceof Breach ? new Breach(error.message, input.text) : error
      })
    })
    await Promise.all(attempts)
  }
  return { answered: 0, closed: count }
}
