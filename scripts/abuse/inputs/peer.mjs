// A WebSocket client that writes whatever bytes it is told, and counts what is answered.
import { once } from 'node:events'
import { connect } from 'node:net'
import { CLOSE_CODES } from '@token-socket/protocol'
import { Breach, until } from './breach.mjs'
import { EPOCH, expectedOf, TOKEN } from './frames.mjs'

/** Closing codes that docs/PROTOCOL.md names, and those of RFC 6455 for what breaks that. */
const DOCUMENTED = new Set([
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009],
  ...Object.values(CLOSE_CODES).map(({ code }) => code),
])

/** Of SockJS. */
const BROKEN_FRAMING = 3000

/** What a server answers a close with: the code that came, or none. */
const ECHOED = new Set([undefined, 1005, 3000, 4005, 4999])

const UPGRADE = [
  ...['Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket'],
  ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
]

/** A frame of RFC 6455. @param head the first byte @param mask whether it is masked, with zeros @param size what it says its length is */
export function wsFrame(head, payload, { mask = true, size = payload.length } = {}) {
  const bit = mask ? 0x80 : 0
  const bytes =
    size < 126
      ? [bit | size]
      : size < 65_536
        ? [bit | 126, size >> 8, size & 255]
        : [bit | 127, ...long(size)]
  return Buffer.concat([Buffer.from([head, ...bytes]), Buffer.alloc(mask ? 4 : 0), payload])
}

function long(size) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(size))
  return bytes
}

const TOKENS = new RegExp(`${TOKEN.replace('$', '\\$')}([\\w-]*)`, 'g')

function claimsOf(base64url) {
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url'))
  } catch {
    return {}
  }
}

/** The messages in a frame, as the server gets them. */
export const linesOf = (text) =>
  Buffer.from(text)
    .toString()
    .split('\n')
    .filter((line) => line !== '')

export class Peer {
  #socket
  #rest = Buffer.alloc(0)
  #isUpgraded = false
  #isSockJS = false
  #expected = new Map()
  #errorsExpected = 0
  #errors = 0
  #texts = new Map()
  #waits = 0
  #breach
  #sid
  epoch = 'none'
  /** Answers to the server's calls, by their id. */
  replies = (fid) => [JSON.stringify({ rpc: '_rpc', fid, resp: {} })]
  answered = 0
  /** The code of the server's close frame, if there was one. */
  code = undefined
  isClosed = false

  /**
   * Opens a connection and upgrades it.
   * @param token signs in
   * @param path below the prefix; any but `websocket` is SockJS's framing
   */
  static async open(port, token, path = 'websocket') {
    const peer = new Peer()
    peer.#isSockJS = path !== 'websocket'
    peer.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    peer.#socket.on('error', () => {})
    peer.#socket.on('data', (chunk) => peer.#read(chunk))
    peer.#socket.on('close', () => {
      peer.isClosed = true
    })
    await once(peer.#socket, 'connect')
    peer.#socket.write(`GET /sockets/${path} HTTP/1.1\r\n${UPGRADE.join('\r\n')}\r\n\r\n`)
    await until(() => peer.#isUpgraded, 'an upgrade was not answered')
    if (token !== undefined) {
      peer.expect(JSON.stringify({ rpc: 'auth', token, uuid: 'auth', version: 1 }))
      peer.sendText(JSON.stringify({ rpc: 'auth', token, uuid: 'auth', version: 1 }))
      await peer.settled()
    }
    return peer
  }

  /** From now on this text has to be answered, as it says. */
  expect(text) {
    const expected = expectedOf(text)
    if (expected === 'error') this.#errorsExpected += 1
    if (typeof expected === 'string') return
    this.#expected.set(expected.id, (this.#expected.get(expected.id) ?? 0) + 1)
    this.#texts.set(expected.id, text)
    this.#waits += 1
  }

  /** A message that may be no text is wrong: an error without an id is due. */
  expectAny(message) {
    this.expect(typeof message === 'string' ? message : 'no text')
  }

  /** Sends one text frame. */
  sendText(text) {
    this.sendRaw(this.#isSockJS ? JSON.stringify([text]) : text)
  }

  /** Sends one text frame, as it is. */
  sendRaw(text) {
    this.write(wsFrame(0x81, Buffer.from(text)))
  }

  /** Sends a text, and expects what it has to be answered with. */
  say(text) {
    for (const line of this.#isSockJS ? [text] : linesOf(text)) this.expect(line)
    this.sendText(text)
  }

  write(bytes) {
    if (!this.isClosed) this.#socket.write(bytes)
  }

  /** Puts in what only the server can know. */
  fill(text, site) {
    const signed = (_all, claims) => site.channelToken(claimsOf(claims), this.#sid)
    return text.replaceAll(EPOCH, this.epoch).replaceAll(TOKENS, signed)
  }

  /** Waits until everything is answered, or the connection is closed. @throws Breach */
  async settled(ms = 15_000) {
    const isDone = () =>
      this.#breach || this.isClosed || (this.#waits <= 0 && this.#errors >= this.#errorsExpected)
    await until(isDone, '', ms).catch(() => {
      throw new Breach('no answer came', this.#unanswered())
    })
    if (this.#breach) throw this.#breach
    if (this.isClosed) return this.checkCode()
    if (this.#errors > this.#errorsExpected)
      throw new Breach(`${this.#errors} errors without an id came, ${this.#errorsExpected} were due`)
    this.#texts.clear()
    this.#expected.clear()
  }

  /** @param isOurs whether we closed, maybe with a code of ours @throws Breach for a close code that no document names */
  checkCode(isOurs = false) {
    if (DOCUMENTED.has(this.code) || (isOurs && ECHOED.has(this.code))) return
    if (this.#isSockJS && this.code === BROKEN_FRAMING) return
    throw new Breach(`closed with ${this.code ?? 'no close frame'}`, this.#unanswered())
  }

  /** Ends this side; the server's has to end, too. */
  async end() {
    this.#socket.end()
    await until(() => this.isClosed, 'a connection did not end')
  }

  destroy() {
    this.#socket.destroy()
  }

  #unanswered() {
    const ids = [...this.#expected].filter(([, times]) => times > 0).map(([id]) => id)
    if (ids.length > 0) return ids.slice(0, 5).map((id) => this.#texts.get(id))
    return [`${this.#errorsExpected - this.#errors} errors without an id`]
  }

  #reply(fid) {
    for (const text of this.replies(fid)) this.say(text)
  }

  #read(chunk) {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (!this.#isUpgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) {
        this.#rest = bytes
        return
      }
      this.#isUpgraded = true
      bytes = bytes.subarray(end + 4)
    }
    while (bytes.length >= 2) {
      const short = bytes[1] & 127
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      if (bytes.length < head) break
      const size = head === 2 ? short : head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
      if (bytes.length < head + size) break
      this.#came(bytes[0] & 15, bytes.subarray(head, head + size))
      bytes = bytes.subarray(head + size)
    }
    this.#rest = bytes
  }

  #came(opcode, payload) {
    if (opcode === 8) {
      this.code ??= payload.length > 1 ? payload.readUInt16BE() : 1005
      this.#socket.end()
    }
    if (opcode === 9) this.write(wsFrame(0x8a, payload))
    if (opcode === 1) for (const line of this.#messagesIn(payload.toString())) this.heard(line)
  }

  #messagesIn(text) {
    if (!this.#isSockJS) return text.split('\n').filter((line) => line !== '')
    if (text[0] === 'c') this.code = JSON.parse(text.slice(1))[0]
    return text[0] === 'a' ? JSON.parse(text.slice(1)) : []
  }

  /** A message of the server. */
  heard(line) {
    const { uuid, channel, internal, command, data, error, rpc, sid } = JSON.parse(line)
    if (rpc === 'auth' && sid !== undefined) this.#sid = sid
    if (internal === true) {
      if (command === 'rpc') this.#reply(data.fid)
      if (command === 'subscribe' && data.epoch !== undefined) this.epoch = data.epoch
      return
    }
    if (channel !== undefined) return
    if (uuid === undefined && error !== undefined) {
      this.#errors += 1
      this.answered += 1
      return
    }
    const left = this.#expected.get(uuid)
    if (left === undefined || left === 0) {
      this.#breach ??= new Breach('an answer came that was not due', [line, this.#texts.get(uuid)])
      return
    }
    this.#expected.set(uuid, left - 1)
    this.#waits -= 1
    this.answered += 1
  }
}
