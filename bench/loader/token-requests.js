import { connect } from 'node:net'

/** Asks for tokens on one kept-alive HTTP connection, one at a time, as a page of a browser does. */
export class TokenRequests {
  /** @type {import('node:net').Socket | undefined} */
  #socket
  #received = ''
  /** @type {{ resolve(token: string): void, reject(error: Error): void } | undefined} */
  #waiting
  #port
  #text

  /**
   * @param {number} port
   * @param {'GET' | 'POST'} method
   */
  constructor(port, method) {
    this.#port = port
    const body = method === 'POST' ? 'Content-Length: 0\r\n' : ''
    const host = `Host: 127.0.0.1:${port}\r\nOrigin: http://127.0.0.1:${port}\r\n`
    this.#text = `${method} /socket/token HTTP/1.1\r\n${host}Accept: */*\r\n${body}\r\n`
  }

  /** A fresh token. @returns {Promise<string>} */
  get() {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket ??= this.#connect()
      this.#socket.write(this.#text)
    })
  }

  close() {
    this.#socket?.destroy()
  }

  #connect() {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    socket.setEncoding('latin1')
    socket.on('data', (text) => this.#receive(text))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => {
      this.#socket = undefined
      this.#waiting?.reject(new Error('the server closed the connection of a token request'))
    })
    return socket
  }

  #receive(text) {
    this.#received += text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#received.slice(0, end)
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
    const body = this.#received.slice(end + 4)
    if (body.length < length) return
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#received = ''
    if (head.startsWith('HTTP/1.1 200') && body.length === length) waiting?.resolve(JSON.parse(body).token)
    else waiting?.reject(new Error(`a token request was answered ${head.split('\r\n')[0]} ${body}`))
  }
}
