/** Real channels on a memory engine whose answers take their time, and clients whose rights change. */
import { MemoryEngine } from '@token-socket/server'
import { PositionProofs } from '../../../packages/server/src/channels/position-proofs.js'
import { Channels } from '../../../packages/server/src/channels.js'
import { Hub } from '../../../packages/server/src/hub.js'
import { Policy } from '../../../packages/server/src/policy.js'
import type { ChannelRequest, RemoteClient } from '../../../packages/server/src/remote-client.js'
import type { Random } from '../../protocol/random.js'
import { makeSocket } from '../sockets.js'
import { ModelClient } from './client.js'
import { CHANNELS, mayReceive, type Rights, someRights, sourceOf } from './rights.js'

const UIDS = ['ann', 'ben', 'cid'] as const

const LIMITS = {
  members: 100,
  presenceGrace: 0,
  subscriptions: 100,
  subscriptionsPerUser: 100,
  channelsPerUser: 100,
  publication: 1000,
  historyPage: 1024 * 1024,
  publicationRate: 100_000,
  publicationBytes: 10_000_000,
  broadcastRate: 100,
  presencesPerUser: 100,
  presenceRate: 100,
}

const RULES = { '*': { history: { ttl: 3_600_000, size: 100_000 } } }

type Answer = { readonly error?: unknown }

export class World {
  /** What went wrong. */
  readonly wrong: string[] = []
  readonly #random: Random
  readonly #engine = new MemoryEngine()
  readonly #hub = new Hub(() => {})
  readonly #hasListener: boolean
  readonly #clients = new Map<string, ModelClient>()
  readonly #running: Promise<unknown>[] = []
  #lastSid = 0
  readonly #channels: Channels

  constructor(random: Random) {
    this.#random = random
    this.#hasListener = random.number(2) === 0
    this.#channels = this.#makeChannels()
    this.#hub.filter = (socket, channel, message) => this.#delivered(socket, channel, message)
    for (const uid of UIDS) this.#connect(uid, someRights(random))
  }

  /** Something happens. */
  async step(): Promise<void> {
    const client = this.#clients.get(this.#random.pick(UIDS)) as ModelClient
    const channel = this.#random.pick(CHANNELS)
    const kind = this.#random.number(20)
    if (kind < 5) this.#run(this.#channels.publish(channel, 'server'))
    else if (kind < 8) this.#run(this.#publish(client, channel))
    else if (kind < 12) this.#run(this.#subscribe(client, channel))
    else if (kind < 13) this.#run(this.#unsubscribe(client, channel))
    else if (kind < 18) this.#run(this.#change(client))
    else if (kind < 19) this.#reconnect(client)
    else await this.#pause()
    if (this.#random.number(3) === 0) await this.#pause()
  }

  /** Lets everything end, and looks whether both ends agree. */
  async end(): Promise<void> {
    while (this.#running.length > 0) await Promise.all(this.#running.splice(0))
    for (const channel of CHANNELS) await this.#channels.publish(channel, 'last')
    for (const client of this.#clients.values()) {
      this.wrong.push(...client.read())
      for (const channel of CHANNELS) await this.#compare(client, channel)
    }
    await this.#engine.close()
  }

  async #compare(client: ModelClient, channel: string): Promise<void> {
    const { isOn, position } = client.place(channel)
    const { offset } = await this.#engine.history.position(channel)
    const isMember = this.#hub.has(client.socket, channel)
    const may = mayReceive(client.rights, channel, this.#hasListener)
    if (isOn !== isMember)
      this.#complain(client, channel, `is ${isMember ? '' : 'not '}on it, and knows it not`)
    if (isMember && !may) this.#complain(client, channel, 'is on it without a right')
    if (!isMember && client.certain.has(channel)) this.#complain(client, channel, 'has lost it')
    if (isMember && position?.offset !== offset)
      this.#complain(client, channel, `is at ${position?.offset} of ${offset}`)
  }

  #complain({ uid }: ModelClient, channel: string, text: string): void {
    this.wrong.push(`${uid} on ${channel} ${text}`)
  }

  /** A delivery is made: some version from the acknowledged one on has to allow it. */
  #delivered(socket: RemoteClient, channel: string, message: unknown): unknown {
    const client = this.#clients.get(socket.uid as string)
    if (client?.socket !== socket) return message
    if (!client.valid.some((rights) => mayReceive(rights, channel, this.#hasListener)))
      this.#complain(client, channel, 'received what an older version allowed')
    return message
  }

  async #change(client: ModelClient): Promise<void> {
    const rights = someRights(this.#random)
    const version = client.versions.push(rights)
    for (const channel of CHANNELS)
      if (!mayReceive(rights, channel, this.#hasListener)) client.certain.delete(channel)
    await client.socket.changeAuthorization(sourceOf(client.uid, rights))
    client.acknowledged = Math.max(client.acknowledged, version)
  }

  async #publish(client: ModelClient, channel: string): Promise<void> {
    const since = client.versions.length
    const { error } = await this.#ask(client, { type: 'publish', id: '1', channel, data: client.uid })
    const always = client.versions.slice(since - 1).every(({ write }) => write.has(channel))
    if (error && always && !client.socket.isClosed) this.#complain(client, channel, 'could not publish')
  }

  async #subscribe(client: ModelClient, channel: string): Promise<void> {
    const { socket } = client
    await socket.inOrder(channel, async () => {
      this.wrong.push(...client.read())
      const { isOn, position: from, proof } = client.place(channel)
      const since = client.versions.length
      const where = isOn || !from || this.#random.number(3) === 0 ? {} : { from, proof }
      const { error } = await this.#channels.request(socket, {
        type: 'subscribe',
        id: '1',
        channel,
        ...where,
      })
      if (socket.isClosed) return
      const always = client.versions
        .slice(since - 1)
        .every((rights) => mayReceive(rights, channel, this.#hasListener))
      if (always && error) this.#complain(client, channel, 'could not subscribe')
      if (always) client.certain.add(channel)
    })
  }

  #unsubscribe(client: ModelClient, channel: string): Promise<Answer> {
    return client.socket.inOrder(channel, () => {
      client.certain.delete(channel)
      return this.#channels.request(client.socket, { type: 'unsubscribe', id: '1', channel })
    })
  }

  #ask({ socket }: ModelClient, request: Extract<ChannelRequest, { type: 'publish' }>): Promise<Answer> {
    return socket.inOrder(request.channel, () => this.#channels.request(socket, request))
  }

  /** The server closes the connection, and the client comes back. */
  #reconnect(client: ModelClient): void {
    this.wrong.push(...client.read())
    client.socket.closeFor('revoked')
    client.socket.disconnected(4010)
    this.#connect(client.uid, someRights(this.#random), client)
  }

  #connect(uid: string, rights: Rights, before?: ModelClient): void {
    const made = makeSocket({
      identity: { ...sourceOf(uid, rights), sid: this.#nextSid(uid) },
      channels: {
        request: (...how) => this.#channels.request(...how),
        forget: (...how) => this.#channels.forget(...how),
        prove: (...how) => this.#channels.prove(...how),
        reauthorize: (...how) => this.#channels.reauthorize(...how),
      },
    })
    this.#clients.set(uid, new ModelClient(uid, made, rights, before?.places))
    this.#hub.add(made.socket)
  }

  #nextSid(uid: string): string {
    this.#lastSid += 1
    return `${uid} ${this.#lastSid}`
  }

  #run(work: Promise<unknown>): void {
    this.#running.push(work.catch((cause) => this.wrong.push(String(cause?.stack ?? cause))))
  }

  /** A few microtasks, or a few turns. */
  async #pause(): Promise<void> {
    const count = this.#random.number(4)
    const isLong = this.#random.number(3) === 0
    for (let left = count; left > 0; left -= 1) await (isLong ? new Promise(setImmediate) : undefined)
  }

  #makeChannels(): Channels {
    const { broker, history, presence } = this.#engine
    const slowly = async <T>(run: () => Promise<T>): Promise<T> => {
      await this.#pause()
      return run()
    }
    return new Channels({
      ...LIMITS,
      hub: this.#hub,
      broker: {
        listen: (listener) => broker.listen(listener),
        subscribe: (channel) => slowly(() => broker.subscribe(channel)),
        unsubscribe: (channel) => broker.unsubscribe(channel),
        publish: (draft, options) => {
          const publisher = this.#publisher(draft)
          return slowly(() => {
            this.#checkPublisher(publisher, draft.channel)
            return broker.publish(draft, options)
          })
        },
        broadcast: (json) => broker.broadcast(json),
        command: (command) => broker.command(command),
      },
      history: {
        read: (...query) => slowly(() => history.read(...query)),
        position: (channel) => history.position(channel),
      },
      presence,
      redeem: async () => undefined,
      policy: new Policy({
        channels: RULES,
        timeout: 1000,
        failed: (cause) => this.wrong.push(String(cause)),
      }),
      decide: (event, socket, data) => this.#decide(event, socket, data),
      failed: (cause) => this.wrong.push(String((cause as Error)?.stack ?? cause)),
      proofs: new PositionProofs([Buffer.from('secret')]),
    })
  }

  /** The listeners take their time. That of `subscribe` looks at the auth that the socket has when it is asked. */
  #decide(event: string, { auth }: RemoteClient, data: object) {
    if (!this.#hasListener) return undefined
    if (event !== 'subscribe') return this.#pause().then(() => undefined)
    const { refused } = auth as unknown as { refused: readonly string[] }
    const isRefused = refused.includes((data as { channel: string }).channel)
    return this.#pause().then(() => (isRefused ? { error: new Error('refused') } : undefined))
  }

  #publisher({ channel, meta }: { readonly channel: string; readonly meta?: string | undefined }) {
    if (meta === undefined) return undefined
    const client = this.#clients.get((JSON.parse(meta) as { uid: string }).uid) as ModelClient
    if (!client.rights.write.has(channel)) this.#complain(client, channel, 'published without a right')
    return { client, version: client.versions.length }
  }

  /** What an older version allowed must not be delivered after a newer one was acknowledged. */
  #checkPublisher(publisher: { client: ModelClient; version: number } | undefined, channel: string): void {
    if (!publisher || publisher.client.socket.isClosed) return
    const { client, version } = publisher
    const isValid = version >= client.acknowledged || client.valid.some(({ write }) => write.has(channel))
    if (!isValid) this.#complain(client, channel, 'published by an older version')
  }
}
