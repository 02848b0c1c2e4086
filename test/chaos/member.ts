/**
 * A socket of the user whose rights are taken: a bare WebSocket, so that a thousand of them fit in
 * one process.
 */
import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A message of the channel, as a member got it. */
interface Received {
  readonly number: number
  /** In milliseconds of `performance.now()`. */
  readonly at: number
}

export class RevokedMember {
  /** The index of its node. */
  readonly node: number
  readonly received: Received[] = []
  /** Messages of the channel that came after its end. */
  late = 0
  /** When it learned that the channel is taken, or was closed. */
  endedAt: number | undefined
  /** Its close code, if it was closed. */
  code: number | undefined
  readonly #socket: WebSocket
  readonly #channel: string

  private constructor(node: number, socket: WebSocket, channel: string) {
    this.node = node
    this.#socket = socket
    this.#channel = `"channel":${JSON.stringify(channel)}`
    socket.on('message', (data) => {
      for (const line of String(data).split('\n')) this.#hear(line)
    })
    socket.on('close', (code) => {
      this.code = code
      this.endedAt ??= performance.now()
    })
    socket.on('error', () => {})
  }

  /** Signs in and subscribes. */
  static async enter(
    host: string,
    { node, uid, channel }: { readonly node: number; readonly uid: string; readonly channel: string },
  ): Promise<RevokedMember> {
    const response = await fetch(`http://${host}/socket/token?uid=${uid}`, { method: 'POST' })
    const { token } = (await response.json()) as { token: string }
    const socket = new WebSocket(`ws://${host}/sockets/websocket`)
    await once(socket, 'open')
    const member = new RevokedMember(node, socket, channel)
    const answer = (uuid: string) =>
      new Promise<void>((resolve, reject) => {
        socket.on('message', (data) => String(data).includes(`"uuid":"${uuid}"`) && resolve())
        socket.once('close', (code) => reject(new Error(`closed with ${code} before it was subscribed`)))
      })
    socket.send(JSON.stringify({ rpc: 'auth', token, uuid: 'auth', version: 1, can: ['refresh'] }))
    await answer('auth')
    socket.send(JSON.stringify({ rpc: '_subscribe', req: { channel }, uuid: 'on' }))
    await answer('on')
    return member
  }

  close(): void {
    this.#socket.terminate()
  }

  #hear(line: string): void {
    if (!line.includes(this.#channel)) return
    const frame = JSON.parse(line) as {
      readonly message?: number
      readonly command?: string
      readonly reason?: string
      readonly data?: { readonly reason?: string }
    }
    if (typeof frame.message === 'number') {
      if (this.endedAt === undefined) this.received.push({ number: frame.message, at: performance.now() })
      else this.late += 1
    } else if (line.includes('"revoked"')) this.endedAt ??= performance.now()
  }
}
