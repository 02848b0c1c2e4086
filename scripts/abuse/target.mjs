// Starts the server under attack and speaks to it: by its parent's channel, over HTTP, and over WebSockets and bare TCP.
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { root } from '../gates.mjs'

const CAN_PIN = spawnSync('taskset', ['--version']).status === 0

/** Milliseconds that an answer, or a connection, may take before the attack counts as failed. */
const PATIENCE = 60_000

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** A server with these settings, on a core of its own where the machine has two. */
export class Target {
  #child
  #questions = new Map()
  #lastId = 0
  #open = new Set()
  port = 0

  static async start(settings = {}) {
    const target = new Target()
    const file = join(root, 'scripts', 'abuse', 'server.mjs')
    target.#child = fork(file, [JSON.stringify(settings)], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    if (CAN_PIN) spawnSync('taskset', ['-pc', '0', String(target.#child.pid)])
    const [{ port }] = await once(target.#child, 'message')
    target.port = port
    target.#child.on('message', ({ id, answer }) => {
      target.#questions.get(id)?.(answer)
      target.#questions.delete(id)
    })
    return target
  }

  /** Asks the server's process: `reset`, `report`, `memory`, `publish`. */
  ask(name, data) {
    this.#lastId += 1
    const id = this.#lastId
    this.#child.send({ id, name, data })
    return within(PATIENCE, new Promise((resolve) => this.#questions.set(id, resolve)), name)
  }

  /** A token of the token endpoint. */
  async token(uid) {
    const answer = await fetch(`http://127.0.0.1:${this.port}/socket/token?uid=${uid}`, { method: 'POST' })
    return (await answer.json()).token
  }

  /** A WebSocket that has not signed in. @param path below the prefix */
  async stranger(path = 'websocket') {
    const ws = new WebSocket(`ws://127.0.0.1:${this.port}/sockets/${path}`)
    ws.on('error', () => {})
    this.#open.add(ws)
    await within(PATIENCE, once(ws, 'open'), 'open')
    return new Attacker(ws, path !== 'websocket')
  }

  /** A WebSocket that has signed in. */
  async member(uid = 'mallory', path = 'websocket') {
    const attacker = await this.stranger(path)
    const answer = await attacker.call({ rpc: 'auth', token: await this.token(uid), version: 1 })
    if (answer?.resp !== 'success') throw new Error(`${uid} did not get in: ${JSON.stringify(answer)}`)
    return attacker
  }

  /** A bare TCP connection that has written this. */
  tcp(...texts) {
    const socket = connect(this.port, '127.0.0.1')
    socket.on('error', () => {})
    this.#open.add({ terminate: () => socket.destroy() })
    for (const text of texts) socket.write(text)
    return socket
  }

  async stop() {
    for (const one of this.#open) one.terminate()
    this.#child.disconnect()
    await within(PATIENCE, once(this.#child, 'exit'), 'exit').catch(() => this.#child.kill('SIGKILL'))
  }
}

/** A WebSocket of an attacker, in plain or in SockJS's framing. */
export class Attacker {
  #isSockJS
  #answers = new Map()
  #lastId = 0
  /** Bytes that came. */
  received = 0
  /** The code that the server closed with, once it has. */
  code = undefined

  constructor(ws, isSockJS) {
    this.ws = ws
    this.#isSockJS = isSockJS
    this.closed = once(ws, 'close').then(([code]) => {
      this.code = code
      for (const resolve of this.#answers.values()) resolve(undefined)
      return code
    })
    ws.on('message', (data) => this.#hear(data))
  }

  /** Sends a text as it is. Resolves when it has left. */
  raw(text) {
    return new Promise((resolve) => this.ws.send(text, () => resolve()))
  }

  /** Sends messages in one frame. */
  send(...messages) {
    const texts = messages.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
    return this.raw(this.#isSockJS ? JSON.stringify(texts) : texts.join('\n'))
  }

  /** @returns the answer, or `undefined` if the connection closed */
  call(message) {
    if (this.code !== undefined) return Promise.resolve(undefined)
    this.#lastId += 1
    const uuid = `call-${this.#lastId}`
    const answer = new Promise((resolve) => this.#answers.set(uuid, resolve))
    this.send({ ...message, uuid })
    return within(PATIENCE, answer, message.rpc)
  }

  /** Reads nothing from now on. */
  stopReading() {
    this.ws.pause()
  }

  #hear(data) {
    this.received += data.length
    // An attacker does not read most answers: only the awaited ones are parsed.
    if (this.#answers.size === 0) return
    const text = String(data)
    if (!text.includes('call-')) return
    for (const line of this.#isSockJS && text[0] === 'a' ? JSON.parse(text.slice(1)) : text.split('\n')) {
      if (!line.includes('call-')) continue
      const frame = JSON.parse(line)
      this.#answers.get(frame.uuid)?.(frame)
      this.#answers.delete(frame.uuid)
    }
  }
}

/** What a promise gives, or a failure that says what took too long. */
export function within(ms, promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms / 1000} s`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
