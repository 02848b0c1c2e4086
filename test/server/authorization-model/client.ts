/** A client of the model: what it receives, held against what the wire promises. */
import type { TestSocket } from '../sockets.js'
import type { Rights } from './rights.js'

interface Frame {
  readonly command?: string
  readonly channel?: string
  readonly epoch?: string
  readonly offset?: number
  readonly data?: {
    readonly channel: string
    readonly epoch?: string
    readonly offset?: number
    readonly proof?: string
    readonly recovered?: boolean
    readonly reason?: string
  }
}

/** Where a client is on a channel. */
export interface Place {
  isOn: boolean
  position?: { readonly epoch: string; readonly offset: number }
  proof?: string | undefined
}

/** One socket, its client, and the versions of its rights. */
export class ModelClient {
  readonly places: Map<string, Place>
  /** By version, which counts from 1. */
  readonly versions: Rights[] = []
  /** The last version whose change was acknowledged. */
  acknowledged = 1
  /** Channels on which it has to be, since a subscription was allowed and nothing has ended it. */
  readonly certain = new Set<string>()
  #seen = 0

  /** @param places where an earlier socket of the user was */
  constructor(
    readonly uid: string,
    readonly made: TestSocket,
    rights: Rights,
    places = new Map<string, Place>(),
  ) {
    this.versions.push(rights)
    this.places = places
    for (const place of places.values()) place.isOn = false
  }

  get socket() {
    return this.made.socket
  }

  get rights(): Rights {
    return this.versions.at(-1) as Rights
  }

  /** The rights that may still count: since the last acknowledged version. */
  get valid(): readonly Rights[] {
    return this.versions.slice(this.acknowledged - 1)
  }

  place(channel: string): Place {
    const place = this.places.get(channel) ?? { isOn: false }
    this.places.set(channel, place)
    return place
  }

  /** Reads what has come. @returns what is wrong with it */
  read(): string[] {
    const frames = this.made.frames() as Frame[]
    const wrong = frames.slice(this.#seen).flatMap((frame) => this.#take(frame) ?? [])
    this.#seen = frames.length
    return wrong
  }

  #take(frame: Frame): string | undefined {
    const { command, data } = frame
    if (command === 'subscribe' && data) return this.#entered(data)
    if (command === 'unsubscribe' && data) this.place(data.channel).isOn = false
    if (command === 'position' && data) return this.#moved(data.channel, data)
    return frame.channel === undefined ? undefined : this.#moved(frame.channel, frame)
  }

  #entered({
    channel,
    epoch,
    offset,
    proof,
    recovered,
    reason,
  }: Required<Frame>['data']): string | undefined {
    const place = this.place(channel)
    const { position, isOn } = place
    place.isOn = true
    if (epoch === undefined || offset === undefined) return undefined
    place.proof = proof
    if (reason !== undefined && reason !== 'forbidden') return this.#wrong(channel, `has a gap: ${reason}`)
    // Told once more: the client never goes back, and must not be moved on.
    const isAgain = isOn && recovered === undefined && position?.epoch === epoch
    if (isAgain && offset <= position.offset) return undefined
    place.position = { epoch, offset }
    return isAgain ? this.#wrong(channel, `was moved from ${position.offset} to ${offset}`) : undefined
  }

  #moved(channel: string, { epoch, offset = 0 }: Pick<Frame, 'epoch' | 'offset'>): string | undefined {
    const place = this.place(channel)
    const { position, isOn } = place
    if (!isOn || !position) return this.#wrong(channel, `got ${offset} while it was off the channel`)
    place.position = { epoch: epoch ?? position.epoch, offset }
    if (offset === position.offset + 1) return undefined
    return this.#wrong(channel, `got ${offset} after ${position.offset}`)
  }

  #wrong(channel: string, text: string): string {
    return `${this.uid} on ${channel} ${text}`
  }
}
