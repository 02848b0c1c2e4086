import { encodeData } from '@token-socket/protocol'
import { checkName } from '../claims/channel-name.js'
import type { Development } from '../development/development.js'
import type { Broker, History, HistoryPage, PageQuery, Receipt, Retention } from '../engine/engine.js'
import { MethodOptions } from '../options/method-options.js'
import type { PublicationOptions } from '../socket/server-socket.js'
import type { StoredPublication } from './channel-policy.js'
import { serverKey } from './idempotency-keys.js'

/** Dependencies of {@link OwnPublications}. */
export interface OwnPublicationsOwner {
  readonly broker: Pick<Broker, 'publish' | 'broadcast'>
  readonly history: Pick<History, 'read'>
  readonly policy: {
    /** How long a publication of the application on a channel is kept. */
    retention(channel: string, publication: StoredPublication): Retention | undefined
    /** Whether rules say that the channel keeps any event. */
    mayKeep(channel: string): boolean
  }
  /** Checks that only development servers make. @default none */
  readonly development?: Pick<Development, 'checkData' | 'warnOfNoHistory'> | undefined
}

/**
 * Publishes and reads for the application itself, without rules and listeners: for a server's
 * methods, and for a publisher without a server.
 */
export class OwnPublications {
  readonly #owner: OwnPublicationsOwner

  constructor(owner: OwnPublicationsOwner) {
    this.#owner = owner
  }

  /**
   * Publishes. Resolves when the engine has accepted it.
   * @throws RpcError `unserializable`, `too_long`, `bad_message`, `bad_option`
   */
  async publish(channel: string, data: unknown, options: PublicationOptions = {}): Promise<Receipt> {
    checkName('channel', channel)
    PUBLISH_OPTIONS.check(options)
    if (options.event !== undefined) checkName('event', options.event)
    if (options.idempotencyKey !== undefined) checkName('key', options.idempotencyKey)
    const { event, store } = options
    this.#owner.development?.checkData('publication', channel, data)
    const retention = this.#owner.policy.retention(channel, { event, store })
    return this.#owner.broker.publish(
      { channel, json: encodeData(data), event },
      { retention, ...serverKey(options.idempotencyKey) },
    )
  }

  /**
   * Reads a page of history, 100 publications unless the query says otherwise.
   * @throws RpcError `too_long`, `bad_message`, `bad_option`
   */
  async history(channel: string, query: PageQuery = {}): Promise<HistoryPage> {
    checkName('channel', channel)
    HISTORY_OPTIONS.check(query)
    const page = await this.#owner.history.read(channel, { ...query, limit: query.limit ?? PAGE })
    if (this.#owner.development && keepsNothing(page, this.#owner.policy.mayKeep(channel)))
      this.#owner.development.warnOfNoHistory(channel)
    return page
  }

  /**
   * Publishes on every channel of every node. Resolves when the engine has accepted it.
   * @throws RpcError `unserializable`
   */
  async broadcast(data: unknown): Promise<void> {
    this.#owner.development?.checkData('broadcast', '', data)
    await this.#owner.broker.broadcast(encodeData(data))
  }
}

/** Publications on a page. */
const PAGE = 100

const PUBLISH_OPTIONS = new MethodOptions({ event: 'checked', idempotencyKey: 'checked', store: 'size' })

const HISTORY_OPTIONS = new MethodOptions({
  after: 'checked',
  before: 'checked',
  limit: 'size',
  bytes: 'size',
  reverse: 'flag',
})

/** Whether a page of history is empty because no rule keeps anything on the channel, and no publication asked to be kept. */
export function keepsNothing({ publications, position }: HistoryPage, mayKeep: boolean): boolean {
  return !mayKeep && publications.length === 0 && position.offset === 0
}
