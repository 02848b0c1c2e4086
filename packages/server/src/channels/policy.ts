import {
  encodeData,
  type HistoryMessage,
  type PublishMessage,
  RpcError,
  type SubscriptionMessage,
} from '@token-socket/protocol'
import { type Decision, mergeDecisions } from '../claims/decision.js'
import type { Granted } from '../claims/grants.js'
import type { Refusal, Refuser } from '../claims/vetoes.js'
import type { Retention } from '../engine/engine.js'
import type { ChannelRequest, ServerSocket } from '../socket/server-socket.js'
import type { ChannelPolicy, StoredPublication } from './channel-policy.js'
import { ChannelRules } from './channel-rules.js'
import type { PublishingRules, RuleRate } from './publishing-rules.js'
import { RuleAsker, type RuleAskerOwner, type RuleDecision } from './rule-asker.js'
import type { ChannelRuleTable } from './rule-table.js'

/** Dependencies of a {@link Policy}. */
export interface PolicyOptions extends RuleAskerOwner {
  readonly channels: ChannelRuleTable
}

/** Publications that a channel keeps because of what its senders may store. */
const STORED = 1000

/**
 * Decides by the server's rules and a socket's grants together. One explicit `false` refuses. So
 * does the lack of any statement, unless there are no rules and the socket has no grants: then
 * everything is allowed.
 */
export class Policy implements ChannelPolicy {
  readonly #rules: ChannelRules
  readonly #asker: RuleAsker

  /** @throws RpcError `bad_option`, naming the rule */
  constructor(options: PolicyOptions) {
    this.#asker = new RuleAsker(options)
    this.#rules = new ChannelRules(options.channels)
  }

  /** Whether there are no rules. */
  get isOpen(): boolean {
    return this.#rules.isOpen
  }

  /** Synchronous if no function of a rule is asked. */
  allows(socket: ServerSocket, request: ChannelRequest): Refusal | undefined | Promise<Refusal | undefined> {
    if (request.type === 'unsubscribe') return undefined
    if (request.type !== 'broadcast' && isLegacyName(request.channel)) return forbidden('rules')
    if (request.type === 'history') return this.#mayRead(socket, request)
    const isOpen = this.#rules.isOpen && socket.grants.isOpen
    if (isOpen && socket.grants.isEmpty) return undefined
    // A broadcast reaches every channel, including those on which the socket may not publish.
    if (request.type === 'broadcast') return forbidden('nothing allows it')
    const answer = this.#judge(socket, request)
    const refusal = (decision: RuleDecision) => {
      if (decision === true) return undefined
      const by = this.#refuser(socket, request, answer)
      return decision === false ? forbidden(by) : { error: decision, by }
    }
    return answer instanceof Promise ? answer.then(refusal) : refusal(answer ?? isOpen)
  }

  /**
   * A function of a rule that throws, takes too long, or gives a reason has not returned `true`.
   */
  hasPresence(socket: ServerSocket, channel: string): boolean | Promise<boolean> {
    const answer = this.#rules.for(channel).presence(socket, this.#asker)
    return answer instanceof Promise ? answer.then((decision) => decision === true) : answer === true
  }

  mayHavePresence(channel: string): boolean {
    return this.#rules.for(channel).mayHavePresence
  }

  forPublication(socket: ServerSocket, channel: string, event: string | undefined) {
    const { echo, store } = socket.grants.message(channel, event)
    const identity = socket.identity(channel)
    return {
      meta: Object.keys(identity).length > 0 ? encodeData(identity) : undefined,
      echo,
      retention: longest(this.#rules.for(channel).history(event), store),
    }
  }

  retention(channel: string, { event, store }: StoredPublication = {}): Retention | undefined {
    return store === 0 ? undefined : longest(this.#rules.for(channel).history(event), store ?? 0)
  }

  mayKeep(channel: string): boolean {
    return this.#rules.for(channel).mayKeep
  }

  rates(channel: string, event: string | undefined): readonly RuleRate[] {
    return this.#rules.hasRates ? this.#rules.for(channel).rates(event) : NO_RATES
  }

  keeps(socket: ServerSocket, channel: string): boolean {
    return this.mayKeep(channel) || socket.grants.historyStart(channel) !== undefined
  }

  /**
   * If only a channel's own token allows the channel, that token has to state a start, as other
   * claims do.
   */
  historyStart({ grants }: Granted, channel: string): number | undefined {
    if (grants.isEmpty) return 0
    const isByToken = !this.#rules.isOpen && !this.#rules.for(channel).hasSubscribe && grants.covers(channel)
    return grants.historyStart(channel) ?? (grants.isOpen && !isByToken ? 0 : undefined)
  }

  /**
   * On a channel, reading its history needs a start only. Without being on the channel, claims have
   * to state the start, and the socket has to be allowed to subscribe.
   */
  #mayRead(
    socket: ServerSocket,
    { id, channel }: HistoryMessage,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    const { grants } = socket
    if (this.historyStart(socket, channel) === undefined) return forbidden('nothing allows it')
    if (socket.isOn(channel)) return grants.subscribe(channel) === false ? forbidden('claims') : undefined
    if (grants.historyStart(channel) === undefined)
      return { error: new RpcError('forbidden', OFF_CHANNEL, { channel }), by: 'nothing allows it' }
    return this.allows(socket, { type: 'subscribe', id, channel })
  }

  /**
   * Returns what refused a request.
   * @param answer the decision; `undefined` if neither claims nor rules state anything
   */
  #refuser(
    socket: ServerSocket,
    request: SubscriptionMessage | PublishMessage,
    answer: Decision | Promise<RuleDecision>,
  ): Refuser {
    if (answer === undefined) return 'nothing allows it'
    return grantOf(socket, request) === false ? 'claims' : 'rules'
  }

  /**
   * Synchronous if no function is asked: a promise for each publication costs more than all the
   * rest.
   */
  #judge(
    socket: ServerSocket,
    request: SubscriptionMessage | PublishMessage,
  ): Decision | Promise<RuleDecision> {
    const rules = this.#rules.for(request.channel)
    const isPublish = request.type === 'publish'
    const granted = grantOf(socket, request)
    if (granted === false) return false
    const ruled = isPublish
      ? rules.publish(socket, request, this.#asker)
      : rules.subscribe(socket, this.#asker)
    return ruled instanceof Promise ? ruled : mergeDecisions([granted, ruled])
  }
}

/**
 * Whether nodes of the legacy pair use a name among themselves. The legacy server refused these
 * names to clients. An application that passes publications on to other programs relies on that.
 */
function isLegacyName(channel: string): boolean {
  return channel === '___all___' || channel === '___sync___'
}

const NO_RATES: readonly RuleRate[] = []

const OFF_CHANNEL = 'Forbidden: subscribe first, or claim historyStart'

function grantOf(socket: ServerSocket, request: SubscriptionMessage | PublishMessage): Decision {
  return request.type === 'publish'
    ? socket.grants.message(request.channel, request.event).publish
    : socket.grants.subscribe(request.channel)
}

function forbidden(by: Refuser): Refusal {
  return { error: new RpcError('forbidden'), by }
}

function longest(history: PublishingRules['history'], store: number): Retention | undefined {
  const ttl = Math.max(history?.ttl ?? 0, store)
  return ttl > 0 ? { size: history?.size ?? STORED, ttl } : undefined
}
