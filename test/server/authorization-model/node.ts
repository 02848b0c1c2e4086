/** The real parts of a server, joined as `TokenSocketServer` joins them, on an engine whose answers take their time. */
import { randomUUID } from 'node:crypto'
import type { Logger, ServerSocket } from '@token-socket/server'
import { MemoryEngine } from '@token-socket/server'
import type { Handshakes } from '#server/authentication/handshake.js'
import { JoiningSockets } from '#server/authentication/joining-sockets.js'
import { Revocations } from '#server/authentication/revocations.js'
import { makeHandshakes } from '#server/authentication/sign-in.js'
import { SignInVetoes } from '#server/authentication/sign-in-vetoes.js'
import { TokenAuthenticator } from '#server/authentication/token-authenticator.js'
import { Channels } from '#server/channels/channels.js'
import { Hub } from '#server/channels/hub.js'
import { Policy } from '#server/channels/policy.js'
import { PositionProofs } from '#server/channels/position-proofs.js'
import { SocketEvents } from '#server/channels/socket-events.js'
import { VetoListeners } from '#server/channels/veto-listeners.js'
import { makeAuthorizations } from '#server/cluster/make-authorizations.js'
import { Cluster, sidOf } from '#server/cluster.js'
import type { Broker, Engine } from '#server/engine/engine.js'
import { MiddlewareStack } from '#server/middleware/middleware-stack.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { ThrottledLog } from '#server/runtime/throttled-log.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import { Turns } from '#server/runtime/turns.js'
import { ServerEmitter } from '#server/server-emitter.js'
import { TOKENS } from './tokens.js'

const silent = () => {}
const LOGGER: Logger = {
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  isLevelEnabled: () => false,
}

const LIMITS = {
  ...DEFAULT_LIMITS,
  rate: 1_000_000,
  publicationRate: 1_000_000,
  presenceRate: 1_000_000,
}

const HISTORY = { history: { ttl: 86_400_000, size: 10_000 } }

const TTLS = { tokenTtl: 3_600_000, revocationTtl: 3_600_000, revocationStaleness: 30_000 }

/** What the model decides about its server. */
export interface NodeOwner {
  /** Whether there are listeners of `subscribe` and `publish`. */
  readonly listens: boolean
  /** Some time passes: a few turns of the event loop, or nothing. */
  pause(): Promise<void>
  /** Something was published. @returns called when the engine accepts it */
  publishing: (json: string, channel: string) => () => void
  failed(cause: unknown): void
}

/** What the model's functions and listeners look at. */
interface ModelAuth {
  readonly refused: readonly string[]
  readonly isRuled: boolean
  readonly isPresent: boolean
}

class Emitter extends ServerEmitter {}

/** One node of the model. */
export class ModelNode {
  readonly engine: Engine
  readonly cluster: Cluster
  readonly channels: Channels
  readonly hub: Hub
  readonly handshakes: Handshakes
  /** The engine itself, which answers at once. */
  readonly memory = new MemoryEngine()
  readonly #owner: NodeOwner
  readonly #log = new ThrottledLog(LOGGER)
  readonly #joining = new JoiningSockets()
  readonly #close: () => void

  constructor(owner: NodeOwner) {
    this.#owner = owner
    this.engine = this.#slowly()
    const [joining, log] = [this.#joining, this.#log]
    const { engine } = this
    const failed = (cause: unknown) => owner.failed(cause)
    const emitter = this.#listeners()
    const vetoes = new VetoListeners({ emitter, limits: LIMITS, log, failed })
    const events = new SocketEvents({ emitter, failed })
    const hub = new Hub(failed)
    this.hub = hub
    const revocations = new Revocations({ limits: LIMITS, ...TTLS, tickets: engine.tickets })
    const settings = { ...TTLS, closeWhenStale: false, limits: LIMITS }
    const authorizations = makeAuthorizations({
      ...settings,
      engine,
      hub,
      joining,
      revocations,
      publishedWhere: (matches) => this.channels.publishedWhere(matches),
      failed,
    })
    const tokenAuthenticator = new TokenAuthenticator({
      tokens: TOKENS,
      engine,
      revocations,
      authorizations,
      log,
    })
    const middleware = new MiddlewareStack({ limits: LIMITS, log, failed })
    const channels = new Channels({
      ...engine,
      limits: LIMITS,
      broker: authorizations.broker,
      presenceGrace: 0,
      hub,
      joining,
      log,
      proofs: new PositionProofs([Buffer.from('a secret of the model')]),
      policy: new Policy({ channels: this.#rules(), timeout: LIMITS.vetoTimeout, failed }),
      events,
      middleware,
      redeem: (...token) => tokenAuthenticator.subscribe(...token),
      vetoes,
      failed,
    })
    this.channels = channels
    const { nodes, tickets } = engine
    authorizations.start()
    const parts = { nodes, tickets, hub, joining, channels, revocations, authorizations, failed }
    this.cluster = new Cluster({ limits: LIMITS, ...parts })
    const { node } = this.cluster
    this.handshakes = makeHandshakes({
      limits: LIMITS,
      engine,
      logger: LOGGER,
      log,
      functions: {},
      debug: false,
      pingInterval: 25_000,
      enforceExpiry: true,
      trusts: () => false,
      revocations,
      authorizations,
      tokenAuthenticator,
      hub,
      joining,
      channels,
      throttle: new TurnThrottle(),
      turns: new Turns(),
      authTimeout: () => undefined,
      newSid: () => sidOf(randomUUID(), node),
      findAction: () => undefined,
      middleware,
      failed,
      events,
      watch: () => silent,
      vetoes: new SignInVetoes(vetoes, middleware),
    })
    this.#close = () => {
      this.handshakes.close('shutting_down')
      for (const socket of hub.sockets) socket.closeFor('shutting_down')
      channels.close()
      this.cluster.close()
      authorizations.close()
      log.close()
    }
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.#close()
    await this.memory.close()
  }

  /** Functions that look at what the socket is allowed before, or after, some time. */
  #rules() {
    const ask = (field: 'isRuled' | 'isPresent') => async (socket: ServerSocket) => {
      await this.#owner.pause()
      const answer = (socket.auth as unknown as ModelAuth)[field]
      await this.#owner.pause()
      return answer
    }
    return {
      kept: HISTORY,
      ruled: { ...HISTORY, subscribe: ask('isRuled'), publish: ask('isRuled') },
      room: { ...HISTORY, presence: ask('isPresent') },
      live: { history: false as const },
    }
  }

  #listeners(): Emitter {
    const emitter = new Emitter()
    const { listens, pause } = this.#owner
    if (!listens) return emitter
    emitter.on('subscribe', async ({ auth }: ServerSocket, { channel }: { channel: string }) => {
      const { refused } = auth as unknown as ModelAuth
      await pause()
      return !refused.includes(channel)
    })
    emitter.on('publish', async () => {
      await pause()
      return true
    })
    emitter.on('authentication', async () => {
      await pause()
      return true
    })
    return emitter
  }

  #slowly(): Engine {
    const { broker, history, presence, tickets, nodes, rates } = this.memory
    const { pause, publishing } = this.#owner
    const slow = async <T>(run: () => Promise<T>): Promise<T> => {
      await pause()
      return run()
    }
    const slowBroker: Broker = {
      listen: (listener) => broker.listen(listener),
      subscribe: (channel) => slow(() => broker.subscribe(channel)),
      unsubscribe: (channel) => broker.unsubscribe(channel),
      publish: (draft, options) => {
        const accepted = publishing(draft.json, draft.channel)
        return slow(() => {
          accepted()
          return broker.publish(draft, options)
        })
      },
      broadcast: (json) => broker.broadcast(json),
      command: (command) => broker.command(command),
    }
    return {
      name: 'slow memory',
      shared: false,
      broker: slowBroker,
      history: {
        read: (...query) => slow(() => history.read(...query)),
        position: (channel) => slow(() => history.position(channel)),
      },
      presence: {
        enter: (...entry) => slow(() => presence.enter(...entry)),
        leave: (...entry) => presence.leave(...entry),
        members: (channel) => presence.members(channel),
      },
      tickets: {
        put: (ticket) => tickets.put(ticket),
        take: (id) => slow(() => tickets.take(id)),
        claim: (...id) => slow(() => tickets.claim(...id)),
        revoke: (...owner) => slow(() => tickets.revoke(...owner)),
        revoked: (owner) => slow(() => tickets.revoked(owner)),
      },
      nodes,
      rates,
      close: async () => {},
    }
  }
}
