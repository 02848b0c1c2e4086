import { connect } from 'node:net'
import { CLOSE, encodeControl, encodeTexts, PING, PONG, readFrame, TEXT } from './frames.js'

/** All links read into this one: what came is handled before the next read. */
const INCOMING = Buffer.allocUnsafe(256 * 1024)
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8])

/**
 * A WebSocket connection. What is sent while a chunk is handled goes out in one write at its end, for every peer alike.
 */
export class Link {
  /** @type {(text: string) => void} hears every text frame */
  ontext = () => {}
  /** @type {() => void} hears that a frame has been handled */
  onhandled = () => {}
  /** @type {(error: Error | undefined) => void} hears of the end, once; an error unless we closed */
  onclose = () => {}
  /** @type {string[]} */
  #out = []
  /** @type {Buffer | undefined} */
  #rest
  #isReading = false
  #isOpen = false
  #isClosing = false
  #socket
  #settle

  /**
   * Opens a connection.
   * @param {{ port: number, path: string }} where
   * @returns {Promise<Link>}
   */
  static open(where) {
    return new Promise((resolve, reject) => {
      new Link(where, { resolve, reject })
    })
  }

  constructor({ port, path }, settle) {
    this.#settle = settle
    const onread = { buffer: INCOMING, callback: (size, buffer) => this.#read(size, buffer) }
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread })
    this.#socket.on('error', (error) => this.#ended(error))
    this.#socket.on('close', () => this.#ended(new Error('the server closed a connection')))
    this.#socket.write(upgradeRequest(port, path))
  }

  /** Sends a text frame. @param {string} text ASCII */
  send(text) {
    if (this.#out.length === 0 && !this.#isReading) queueMicrotask(() => this.#flush())
    this.#out.push(text)
  }

  /** Closes it as a page that goes away does; `onclose` follows when the server has closed its side. */
  close() {
    this.#flush()
    this.#isClosing = true
    this.#socket.write(encodeControl(CLOSE, NORMAL_CLOSURE))
  }

  /** Reads no more: what comes fills the kernel's buffers. */
  pause() {
    this.#socket.pause()
  }

  #read(size, buffer) {
    let data = buffer.subarray(0, size)
    if (this.#rest) data = Buffer.concat([this.#rest, data])
    this.#rest = undefined
    this.#isReading = true
    const handled = this.#isOpen ? this.#handleFrames(data, 0) : this.#handleUpgrade(data)
    if (handled < data.length) this.#rest = Buffer.from(data.subarray(handled))
    this.#isReading = false
    this.#flush()
    return true
  }

  #handleUpgrade(data) {
    const end = data.indexOf('\r\n\r\n')
    if (end < 0) return 0
    const status = data.toString('latin1', 0, data.indexOf('\r\n'))
    if (!status.startsWith('HTTP/1.1 101')) {
      this.#socket.destroy(new Error(`the server refused the upgrade: ${status}`))
      return data.length
    }
    this.#isOpen = true
    // The owner sets its listeners in the promise's turn, so what came along waits for that.
    this.#rest = Buffer.from(data.subarray(end + 4))
    this.#settle.resolve(this)
    setImmediate(() => this.#read(0, INCOMING))
    return data.length
  }

  #handleFrames(data, start) {
    let at = start
    for (let frame = readFrame(data, at); frame; frame = readFrame(data, at)) {
      at = frame.end
      if (frame.opcode === TEXT) {
        this.ontext(data.toString('latin1', frame.start, frame.end))
        this.onhandled()
      } else if (frame.opcode === PING) {
        this.#socket.write(encodeControl(PONG, data.subarray(frame.start, frame.end)))
      } else if (frame.opcode === CLOSE) this.#closed(data.subarray(frame.start, frame.end))
    }
    return at
  }

  #closed(content) {
    if (!this.#isClosing) {
      const code = content.length >= 2 ? content.readUInt16BE(0) : 'none'
      this.#ended(new Error(`the server closed a connection, code ${code}, ${content.toString('latin1', 2)}`))
    }
    this.#isClosing = true
    this.#socket.end()
  }

  #flush() {
    if (this.#out.length === 0 || this.#isReading) return
    this.#socket.write(encodeTexts(this.#out))
    this.#out = []
  }

  #ended(error) {
    this.#settle.reject(error)
    this.onclose(this.#isClosing ? undefined : error)
    this.onclose = () => {}
  }
}

/** With an Origin, as a browser's: servers that check it have that work to do. */
function upgradeRequest(port, path) {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Origin: http://127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}
