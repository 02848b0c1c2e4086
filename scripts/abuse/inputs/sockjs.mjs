// Bodies that SockJS's HTTP transports send: arrays of anything, broken JSON, forms. Each request is answered, and so is each message in it.
import { parse, stringify } from 'node:querystring'
import { Breach, until } from './breach.mjs'
import { ALL, frame } from './frames.mjs'
import { Browser } from './http.mjs'
import { Peer } from './peer.mjs'
import { mutateText, value } from './values.mjs'

const STATUSES = new Set([200, 204, 400, 404, 405, 413, 415, 429, 500])
const TYPES = [
  'text/plain',
  'application/json',
  'application/x-www-form-urlencoded',
  'text/plain;charset=UTF-8',
  '',
  'x/y',
]

function bodyOf(random, index) {
  const kind = random.number(100)
  if (kind < 10) return value(random, 3)
  const texts = random.list(0, 5, (n) => frame(random, `${index}-${n}`, ALL))
  const body = JSON.stringify(random.chance(20) ? [...texts, JSON.parse(safe(random))] : texts)
  return random.chance(15) ? mutateText(random, body) : body
}

/** A JSON value that is no text. */
const safe = (random) => random.pick(['5', 'null', '{"a":1}', '[]', 'true', '[["x"]]', '1e400'])

function requestOf(random, index) {
  const body = bodyOf(random, index)
  const isForm = random.chance(20)
  const headers = { 'content-type': isForm ? 'application/x-www-form-urlencoded' : random.pick(TYPES) }
  return { path: isForm ? 'jsonp_send' : 'xhr_send', headers, body: isForm ? stringify({ d: body }) : body }
}

/** The messages in a body that was accepted. */
function messagesOf({ path, headers, body }) {
  const isForm = headers['content-type'].startsWith('application/x-www-form-urlencoded')
  const received = Buffer.from(body).toString()
  const text = path === 'jsonp_send' && isForm ? parse(received).d : received
  const parsed = JSON.parse(text)
  return Array.isArray(parsed) ? parsed : []
}

/** A peer whose messages come by a stream of SockJS instead of a WebSocket. */
class Session extends Peer {
  #browser
  #path
  #stop
  #rest = ''
  /** What came while it was not known yet what was due. */
  #early = undefined

  static async start(site, random) {
    const session = new Session()
    session.#browser = new Browser(site.port)
    session.#path = `/sockets/000/s${random.number(2 ** 31)}`
    await session.#listen()
    const auth = JSON.stringify({ rpc: 'auth', token: site.token(), uuid: 'auth', version: 1 })
    session.expect(auth)
    await session.ask({ path: 'xhr_send', body: JSON.stringify([auth]) })
    await session.settled()
    return session
  }

  ask({ path, ...request }) {
    return this.#browser.ask({ path: `${this.#path}/${path}`, ...request })
  }

  say(text) {
    this.expect(text)
    // What is lost with the session is not waited for.
    this.ask({ path: 'xhr_send', body: JSON.stringify([text]) }).catch(() => {})
  }

  /** Answers may come before the response to the request that brought the messages. */
  hold() {
    this.#early = []
  }

  release() {
    const early = this.#early
    this.#early = undefined
    for (const message of early) this.heard(message)
  }

  heard(message) {
    if (this.#early) this.#early.push(message)
    else super.heard(message)
  }

  stop() {
    this.#stop?.()
    this.#browser.close()
  }

  #listen() {
    return new Promise((resolve) => {
      this.#stop = this.#browser.stream(`${this.#path}/xhr_streaming`, (chunk) => {
        resolve()
        this.#take(chunk)
      })
    })
  }

  #take(chunk) {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop()
    for (const line of lines) {
      if (line[0] === 'a') for (const message of JSON.parse(line.slice(1))) this.heard(message)
      if (line[0] !== 'c') continue
      // A stream ends when it has brought enough: the session goes on.
      this.code = JSON.parse(line.slice(1))[0]
      this.isClosed = true
    }
  }
}

export async function sockjsBodies(random, count, site) {
  let session = await Session.start(site, random)
  const result = { answered: 0, closed: 0 }
  let sent = 0
  for (let left = count; left > 0; left -= 16) {
    const requests = Array.from({ length: Math.min(16, left) }, (_, index) =>
      requestOf(random, `${left}-${index}`),
    )
    for (const request of requests) request.body = session.fill(request.body, site)
    session.hold()
    const answers = await Promise.all(requests.map((one) => session.ask(one)))
    requests.forEach((request, index) => {
      const { status } = answers[index]
      if (!STATUSES.has(status)) throw new Breach(`the status is ${status}`, JSON.stringify(request))
      if (status === 200 || status === 204)
        for (const message of messagesOf(request)) session.expectAny(message)
    })
    session.release()
    await session.settled()
    result.answered += session.isClosed ? 0 : requests.length
    sent += 1
    if (!session.isClosed && sent % 20 !== 0) continue
    if (session.isClosed) result.closed += requests.length
    session.stop()
    session = await Session.start(site, random)
  }
  session.stop()
  return result
}

/** The messages in a frame of SockJS's WebSocket, or `undefined` if it is broken. */
function framed(text) {
  if (text === '') return []
  try {
    const parsed = JSON.parse(Buffer.from(text))
    return Array.isArray(parsed) ? parsed : [parsed]
  } catch {
    return undefined
  }
}

/** The same bodies as frames of SockJS's WebSocket: one that is no JSON ends the connection. */
export async function sockjsFrames(random, count, site) {
  const result = { answered: 0, closed: 0 }
  const open = () => Peer.open(site.port, site.token(), `000/w${random.number(2 ** 31)}/websocket`)
  let peer = await open()
  for (let left = count; left > 0; left -= 1) {
    const body = peer.fill(bodyOf(random, left), site)
    for (const message of framed(body) ?? []) peer.expectAny(message)
    peer.sendRaw(body)
    if (framed(body) === undefined)
      await until(() => peer.isClosed, 'a broken frame does not end the connection')
    if (left % 20 !== 0 && !peer.isClosed) continue
    await peer.settled()
    result[peer.isClosed ? 'closed' : 'answered'] += 1
    if (peer.isClosed) peer = await open()
  }
  await peer.settled()
  await peer.end()
  return { ...result, answered: count - result.closed }
}
