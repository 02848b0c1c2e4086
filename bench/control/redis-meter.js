import { once } from 'node:events'
import { connect } from 'node:net'

/** What MONITOR says of a command: who sent it, `lua` for those of scripts. */
const COMMAND = /^\+\d+\.\d+ \[\d+ (\S+)\]/

/** Measures what a Redis does, in its own protocol by hand: packages are not installed yet when the bench begins. */
export class RedisMeter {
  #port
  #socket
  #marks = 0

  /** @param {number} port */
  static async open(port) {
    return new RedisMeter(port, await open(port))
  }

  constructor(port, socket) {
    this.#port = port
    this.#socket = socket
  }

  /** CPU time of Redis so far, in microseconds. */
  async cpu() {
    const text = await this.#ask('INFO cpu')
    const [sys, user] = ['sys', 'user'].map(
      (kind) => new RegExp(`used_cpu_${kind}:([\\d.]+)`).exec(text)?.[1],
    )
    return Math.round((Number(sys) + Number(user)) * 1e6)
  }

  /**
   * Counts the commands that Redis gets meanwhile.
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<{ result: T, sent: number, scripted: number }>} those that were sent, and those of scripts
   */
  async count(run) {
    const socket = await open(this.#port)
    socket.write('MONITOR\r\n')
    await once(socket, 'data')
    const counted = new Counted(socket)
    const result = await run()
    // What was sent before this has been counted when it comes.
    const mark = `bench-${++this.#marks}`
    const seen = counted.until(mark)
    await this.#ask(`ECHO ${mark}`)
    await seen
    socket.destroy()
    return { result, sent: counted.sent, scripted: counted.scripted }
  }

  close() {
    this.#socket.destroy()
  }

  /** The only answers that are asked for are texts of known length, and errors. */
  #ask(command) {
    return new Promise((resolve, reject) => {
      let received = ''
      const hear = (text) => {
        received += text
        const [head, length] = /^\$(\d+)\r\n/.exec(received) ?? ['', Number.POSITIVE_INFINITY]
        const isError = received.startsWith('-')
        if (!isError && received.length < head.length + Number(length) + 2) return
        this.#socket.off('data', hear)
        if (isError) reject(new Error(`Redis: ${received}`))
        else resolve(received.slice(head.length, -2))
      }
      this.#socket.on('data', hear)
      this.#socket.write(`${command}\r\n`)
    })
  }
}

/** The commands on a connection that monitors. */
class Counted {
  sent = 0
  scripted = 0
  #rest = ''
  #mark = ''
  #found = () => {}

  constructor(socket) {
    socket.on('data', (text) => this.#hear(text))
  }

  /** Resolves when a command with this text comes, which is not counted. */
  until(mark) {
    this.#mark = mark
    return new Promise((resolve) => {
      this.#found = () => resolve(undefined)
    })
  }

  #hear(text) {
    const lines = (this.#rest + text).split('\r\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const client = COMMAND.exec(line)?.[1]
      if (client === 'lua') this.scripted += 1
      else if (this.#mark !== '' && line.includes(this.#mark)) this.#found()
      else if (client !== undefined) this.sent += 1
    }
  }
}

async function open(port) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true }).setEncoding('latin1')
  await once(socket, 'connect')
  return socket
}
