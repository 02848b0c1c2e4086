import type { PublicationDetails, TokenSocket } from '@token-socket/client'

/** What a client has seen of a channel. */
interface Seen {
  readonly values: Set<string>
  epoch: string | undefined
  offset: number
  /** A gap was announced, and nothing has come since. */
  isExcused: boolean
}

/** A subscriber that notes whatever is lost, doubled or out of order without being told. */
export class Witness {
  readonly client: TokenSocket
  readonly faults: string[] = []
  received = 0
  gaps = 0
  recoveries = 0
  readonly #seen = new Map<string, Seen>()

  constructor(client: TokenSocket, channels: readonly string[]) {
    this.client = client
    for (const channel of channels) {
      this.#seen.set(channel, { values: new Set(), epoch: undefined, offset: 0, isExcused: false })
    }
    client.on('message', (channel, value, details) => this.#came(channel, String(value), details))
    client.on('gap', (channel) => {
      this.gaps += 1
      const seen = this.#seen.get(channel)
      if (seen) seen.isExcused = true
    })
    client.on('recovered', () => {
      this.recoveries += 1
    })
  }

  /** Whether it has seen this one. */
  has(channel: string, value: string): boolean {
    return this.#seen.get(channel)?.values.has(value) ?? true
  }

  get channels(): string[] {
    return [...this.#seen.keys()]
  }

  #came(channel: string, value: string, { epoch, offset = 0 }: PublicationDetails): void {
    const seen = this.#seen.get(channel)
    if (!seen) return void this.faults.push(`${channel}: ${value} is of a channel that it is not on`)
    this.received += 1
    if (seen.values.has(value)) this.faults.push(`${channel}: ${value} came twice`)
    const isNext = epoch === seen.epoch ? offset === seen.offset + 1 : seen.offset === 0
    if (!isNext && !seen.isExcused) {
      this.faults.push(`${channel}: ${value} at ${epoch}/${offset} came after ${seen.epoch}/${seen.offset}`)
    }
    Object.assign(seen, { epoch, offset, isExcused: false })
    seen.values.add(value)
  }
}
