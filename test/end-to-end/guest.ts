/** A client without the library that keeps every frame, can say goodbye with any code, and can be cut off. */
import type { Member } from '@token-socket/protocol'
import type { Site } from './fixture.js'
import { frameOf, OPCODES, RawWebSocket } from './raw-websocket.js'

type Frame = Readonly<Record<string, unknown>>

/** What the data of a `subscribed` or `presence` frame holds, as far as tests look at it. */
export interface Notice {
  readonly channel: string
  readonly change?: 'joined' | 'left' | 'updated'
  readonly uid?: string
  readonly umd?: unknown
  readonly members?: readonly Member[]
}

export class Guest {
  /** Every frame of the server, oldest first. */
  readonly frames: Frame[] = []
  readonly #raw: RawWebSocket
  readonly #waiting = new Set<() => void>()
  #lastId = 0

  private constructor(raw: RawWebSocket) {
    this.#raw = raw
    raw.hear = ({ opcode, payload }) => {
      if (opcode !== OPCODES.text) return
      const lines = String(payload).split('\n')
      this.frames.push(...lines.filter((line) => line !== '').map((line) => JSON.parse(line)))
      for (const wake of this.#waiting) wake()
      this.#waiting.clear()
    }
  }

  /** One that is let in. @param query what the token route is asked with, such as `uid=ann` */
  static of(site: Site, query: string): Promise<Guest> {
    return Guest.#enter(site, query, { version: 1 })
  }

  /** One that says no version, as the legacy client. */
  static old(site: Site, query: string): Promise<Guest> {
    return Guest.#enter(site, query)
  }

  static async #enter(site: Site, query: string, version: Frame = {}): Promise<Guest> {
    const response = await site.askToken({}, `?${query}`)
    const { token } = (await response.json()) as { token: string }
    const guest = new Guest(await RawWebSocket.open(site.port))
    const { error } = await guest.ask({ rpc: 'auth', token, ...version })
    if (error) throw new Error(String(error))
    return guest
  }

  /** Sends a request. @returns its answer */
  ask(request: Frame): Promise<Frame> {
    this.#lastId += 1
    const uuid = `g${this.#lastId}`
    this.#raw.send({ ...request, uuid })
    return this.find((frame) => frame.uuid === uuid)
  }

  /** Subscribes. @returns the answer */
  subscribe(channel: string): Promise<Frame> {
    return this.ask({ rpc: '_subscribe', req: { channel } })
  }

  /** Unsubscribes. @returns the answer */
  unsubscribe(channel: string): Promise<Frame> {
    return this.ask({ rpc: '_unsubscribe', req: { channel } })
  }

  /** The first frame, of those that came or will come, that is so. */
  async find(isSo: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(isSo)
      if (found) return found
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
      })
    }
  }

  /** The data of all notices of a command, such as `presence`. */
  notices(command: string): Notice[] {
    return this.frames.filter((frame) => frame.command === command).map(({ data }) => data as Notice)
  }

  /** The changes that came, as `joined ann`. */
  get changes(): string[] {
    return this.notices('presence').map(({ change, uid }) => `${change} ${uid}`)
  }

  /** Resolves when a change has come, such as `left ann`. */
  async told(change: string): Promise<void> {
    await this.find(() => this.changes.includes(change))
  }

  /** Who is there: by the last `subscribed`, and the changes since. @throws if one does not fit */
  membersOf(channel: string): Member[] {
    const members = new Map<string, Member>()
    for (const { command, data } of this.frames) {
      const { change, ...notice } = (data ?? {}) as Notice
      if (notice.channel !== channel) continue
      if (command === 'subscribe') members.clear()
      for (const member of notice.members ?? []) members.set(member.uid, member)
      if (command === 'presence') apply(members, change, notice)
    }
    return [...members.values()]
  }

  /** Says goodbye. @param code left out, the close frame has none */
  async close(code?: number): Promise<void> {
    const payload = Buffer.alloc(code === undefined ? 0 : 2)
    if (code !== undefined) payload.writeUInt16BE(code)
    this.#raw.write(frameOf(OPCODES.close, payload))
    await this.#raw.closed
  }

  /** Cuts the line. */
  cut(): void {
    this.#raw.destroy()
  }
}

function apply(members: Map<string, Member>, change: Notice['change'], { uid = '', umd }: Notice): void {
  if (members.has(uid) !== (change !== 'joined')) throw new Error(`${change} ${uid} does not fit`)
  if (change === 'left') members.delete(uid)
  else members.set(uid, umd === undefined ? { uid } : { uid, umd })
}
