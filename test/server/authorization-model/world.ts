/** Users, their clients, and a server whose every answer is held against the model. */
import { connectionPair } from '@token-socket/protocol/testing'
import { Random } from '../../protocol/random.js'
import { type Frame, Link, type LinkOwner } from './link.js'
import { ModelNode } from './node.js'
import { Place } from './places.js'
import { isMeant, Revocation, type Target } from './revoked.js'
import { CHANNELS, type ChannelName, makeRights, mayPublish, type Rights } from './rights.js'
import type { Story } from './story.js'
import { issueTicket, type ModelToken, signConnect } from './tokens.js'

/** One client: what it keeps over its connections. */
export class Device {
  readonly places = new Map<string, Place>()
  /** What it was given, the last one last. */
  readonly tokens: ModelToken[] = []
  link: Link | undefined
  links = 0
  /** The channels that its user wants. */
  readonly wanted = new Set<string>()

  constructor(
    readonly name: string,
    readonly uid: string,
  ) {}

  place(channel: string): Place {
    const place = this.places.get(channel) ?? new Place()
    this.places.set(channel, place)
    return place
  }

  /** Its connection, unless that is closed. */
  get live(): Link | undefined {
    return this.link?.state === 'closed' ? undefined : this.link
  }
}

/** The state of a story. */
export class World {
  readonly complaints: string[] = []
  readonly log: string[] = []
  readonly node: ModelNode
  readonly devices = [
    new Device('ann1', 'ann'),
    new Device('ann2', 'ann'),
    new Device('ben1', 'ben'),
    new Device('cid1', 'cid'),
  ] as const
  readonly revocations: Revocation[] = []
  /** When users were given other rights, which hold for their tokens of before. */
  readonly reauthorized = new Map<string, number>()
  /** When anyone was asked for a new token: 30 s later those of before are refused. */
  readonly renewed: number[] = []
  /** What the engine has accepted, by channel. */
  readonly accepted = new Map<string, number[]>(CHANNELS.map((channel) => [channel, []]))
  readonly listens: boolean
  /** Nothing new is begun. */
  isOver = false
  /** A client has lost its connection, or is asked for a new token. */
  onclosed = (_device: Device) => {}
  onrenew = (_device: Device, _link: Link) => {}
  readonly #random: Random
  readonly #running = new Set<Promise<unknown>>()
  readonly #rights: Rights[] = []
  readonly #tokens = new Map<number, ModelToken>()
  readonly #links = new Map<string, Link>()
  #lastPublication = 0

  constructor({ seed, listens }: Story) {
    this.#random = new Random(seed)
    this.listens = listens
    this.node = new ModelNode({
      listens,
      pause: () => this.pause(),
      publishing: (json, channel) => this.#publishing(json, channel),
      failed: (cause) => this.#failed(cause),
    })
  }

  /** How much runs that has not settled. */
  get running(): number {
    return this.#running.size
  }

  /** Whose connections live. */
  get links(): Link[] {
    return this.devices.flatMap(({ live }) => live ?? [])
  }

  note(text: string): void {
    this.log.push(text)
  }

  complain(text: string): void {
    this.complaints.push(text)
    this.log.push(`!! ${text}`)
  }

  /** Runs something beside all else. */
  run(work: Promise<unknown>): void {
    const done = work.catch((cause) => this.#failed(cause)).finally(() => this.#running.delete(done))
    this.#running.add(done)
  }

  /** Rights that no version had before. */
  newRights(random: Random, uid: string): Rights {
    const rights = makeRights(random, { id: this.#rights.length, uid })
    this.#rights.push(rights)
    return rights
  }

  /** A new token of a client's user, a ticket or signed, with rights of its own. */
  newToken(random: Random, device: Device): ModelToken {
    const rights = this.newRights(random, device.uid)
    const session = `session of ${random.pick([device.name, device.uid])}`
    const kind = random.number(3)
    const token =
      kind === 0 ? issueTicket(rights, session, this.node.memory.tickets) : signConnect(rights, kind === 1)
    this.#tokens.set(rights.id, token)
    device.tokens.push(token)
    return token
  }

  /** Opens a connection, which brings a token. */
  connect(device: Device, token: ModelToken): Link {
    const { left, right } = connectionPair()
    device.links += 1
    const name = `${device.name}.${device.links}`
    const link = new Link(name, device.uid, token, right, this.#ownerOf(device))
    device.link = link
    this.#links.set(name, link)
    this.node.handshakes.begin(left)
    return link
  }

  /** What the client's user publishes. */
  publicationOf(link: Link): object {
    this.#lastPublication += 1
    return { n: this.#lastPublication, by: link.name }
  }

  /** The server publishes. */
  publish(channel: ChannelName): Promise<unknown> {
    this.#lastPublication += 1
    return this.node.channels.publish(channel, { n: this.#lastPublication })
  }

  /** Brings what waits for clients on its way. */
  flush(): void {
    for (const { sid } of this.links) this.node.hub.get(sid)?.flush()
  }

  /** The open connections that an order is about. */
  meant(who: Target): Link[] {
    this.flush()
    return this.links.filter((link) => link.state === 'open' && isMeant(who, link))
  }

  /** Begins a revocation. */
  revoking(who: Target): Revocation {
    const revocation = new Revocation(who)
    this.revocations.push(revocation)
    return revocation
  }

  /** Whether a token has to be refused, since its revocation was acknowledged, or may be. */
  isRefused(token: ModelToken): boolean {
    return this.revocations.some((revocation) => revocation.isDone && revocation.refuses(token))
  }

  mayBeRefused(token: ModelToken): boolean {
    const isOver = this.renewed.some((at) => at >= token.issuedAt && Date.now() - at >= 29_000)
    return isOver || this.revocations.some((revocation) => revocation.mayRefuse(token))
  }

  #ownerOf(device: Device): LinkOwner {
    return {
      listens: this.listens,
      place: (channel) => device.place(channel),
      rights: (id) => this.#rights[id] as Rights,
      token: (id) => this.#tokens.get(id),
      accepted: (channel, n) => (this.accepted.get(channel) ?? []).indexOf(n),
      complain: (link, text) => this.complain(`${link.name} ${text}`),
      note: (text) => this.note(`    ${text}`),
      opened: (link) => this.#opened(link),
      closed: () => this.onclosed(device),
      renew: (link) => this.onrenew(device, link),
    }
  }

  #opened(link: Link): void {
    if (this.isRefused(link.token)) this.complain(`${link.name} was let in by a token that is revoked`)
  }

  /** A publication is on its way to the engine: some version that may still count has to allow it then, too. */
  #publishing(json: string, channel: string): () => void {
    const { n, by } = JSON.parse(json) as NonNullable<Frame['message']> & { readonly by?: string }
    if (n === undefined) return () => {}
    const link = by === undefined ? undefined : this.#links.get(by)
    if (link) this.flush()
    const version = (this.node.hub.get(link?.sid ?? '')?.umd as Frame['umd'])?.v
    const rights = version === undefined ? undefined : this.#rights[version]
    if (link && rights && !mayPublish(rights, channel))
      this.complain(`${by} publishes ${n} on ${channel}, which its version ${version} does not allow`)
    const index = link ? link.versions.length - 1 : 0
    return () => {
      this.accepted.get(channel)?.push(n)
      this.note(`    ${n} is accepted on ${channel}`)
      if (link?.state !== 'open' || index >= link.acknowledged) return
      if (!link.valid.some((one) => mayPublish(one.rights, channel)))
        this.complain(`${by} published ${n} on ${channel} by an older version`)
    }
  }

  #failed(cause: unknown): void {
    const { code, stack } = Object(cause) as { code?: string; stack?: string }
    if (code !== undefined && EXPECTED.has(code)) return
    this.complain(`failed: ${stack ?? cause}`)
  }

  /** Nothing, a few microtasks, or a few turns. */
  async pause(): Promise<void> {
    const count = this.#random.number(4)
    const isLong = this.#random.number(3) === 0
    for (let left = count; left > 0; left -= 1) await (isLong ? new Promise(setImmediate) : undefined)
  }
}

/** What parts report though nothing is wrong: the user was refused, or has gone. */
const EXPECTED = new Set(['identity_changed', 'connection_lost', 'aborted', 'forbidden'])
