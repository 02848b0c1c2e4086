import { type Member, markHandled, RpcError } from '@token-socket/protocol'
import { OwnPublications } from './channels/own-publications.js'
import { Policy } from './channels/policy.js'
import { readMember } from './channels/presence-view.js'
import type { ChannelRuleTable } from './channels/rule-table.js'
import { checkName } from './claims/channel-name.js'
import { Development } from './development/development.js'
import type { Engine, HistoryPage, PageQuery, Receipt } from './engine/engine.js'
import { checkEngineIsFree, takeEngine } from './engine/engine-owners.js'
import { badOption, checkLogger, checkOptions, warnOfUnknown } from './options/option-checks.js'
import { attempt } from './runtime/attempt.js'
import { isProduction } from './runtime/environment.js'
import { Failures } from './runtime/failures.js'
import { consoleLogger, type Logger } from './runtime/logger.js'
import { safeLogger } from './runtime/safe-logger.js'
import { ThrottledLog } from './runtime/throttled-log.js'
import type { PublicationOptions } from './socket/server-socket.js'

/** The options of a {@link publisher}. `engine` is required. */
export interface PublisherOptions {
  /**
   * This process's own engine on the store that the servers share, such as `redisEngine({ url })`.
   * Required.
   */
  readonly engine: Engine
  /**
   * The servers' rules. Only their `history` counts: it says how long a publication is kept.
   * Without them, only `store` keeps publications.
   * @default {}
   */
  readonly channels?: ChannelRuleTable | undefined
  /** Receives a line about each failure. @default the console */
  readonly logger?: Logger | undefined
}

/**
 * Publishes from a process without a server. The methods are those of the server; no rule, listener
 * or middleware runs. Each can be used without the object. An unhandled rejection does not end the
 * process.
 */
export interface Publisher {
  /**
   * Publishes on a channel, on every node. Resolves when the engine has accepted it. An
   * `idempotencyKey` is shared with the servers: only one of them publishes with it.
   * @throws RpcError `unserializable`, `too_long`, `bad_message`, `bad_option`,
   *   `engine_unavailable`
   */
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt>
  /** Publishes on every channel of every node. @throws RpcError `unserializable`, `engine_unavailable` */
  broadcast(data: unknown): Promise<void>
  /**
   * Reads a page of a channel's history: 100 publications, the oldest first, unless the query says
   * otherwise.
   * @throws RpcError
   */
  history(channel: string, query?: PageQuery): Promise<HistoryPage>
  /** The members of a channel with presence, over all nodes. @throws RpcError */
  members(channel: string): Promise<Member[]>
  /** Closes the engine: no handle stays open. Calls after that fail with `shutting_down`. Calling it again returns the same promise. */
  close(): Promise<void>
}

/**
 * Publishes from a process that is no server, such as a cron job or a worker. The process is no node: servers neither list
 * it nor ask it anything.
 * @throws RpcError `bad_option`, naming the option: also for an engine that reaches this process only, or that a server or another
 *   publisher has
 */
export function publisher(options: PublisherOptions): Publisher {
  const { engine, channels = {}, logger: given = consoleLogger(false) } = checked(options)
  const logger = safeLogger(given)
  warnOfUnknown(logger, { options, known: ['engine', 'channels', 'logger'] })
  const log = new ThrottledLog(logger)
  const failures = new Failures(log, () => {}, 'publisher')
  const policy = new Policy({ channels, timeout: 0, failed: failures.report })
  const { broker, history, presence } = engine
  const development = isProduction() ? undefined : new Development({ logger, actions: () => [] })
  const own = new OwnPublications({ broker, history, policy, development })
  let closed: Promise<void> | undefined
  const watched = <T>(method: string, work: () => Promise<T>) => {
    const done = closed ? Promise.reject(new RpcError('shutting_down', CLOSED)) : work()
    return failures.watched(done, { method })
  }
  checkEngineIsFree(engine)
  const release = takeEngine(engine, 'publisher')
  const end = () => {
    log.close()
    release()
  }
  engine.nodes.withdraw?.()
  return {
    publish: (...what) => watched('publish', () => own.publish(...what)),
    broadcast: (data) => watched('broadcast', () => own.broadcast(data)),
    history: (...what) => watched('history', () => own.history(...what)),
    members: (channel) => watched('members', () => membersOf(presence, channel)),
    close: () => {
      closed ??= markHandled(attempt(() => engine.close()).finally(() => end()))
      return closed
    },
  }
}

async function membersOf(presence: Engine['presence'], channel: string): Promise<Member[]> {
  checkName('channel', channel)
  const { members } = await presence.members(channel)
  return members.map(readMember)
}

function checked(options: PublisherOptions): PublisherOptions {
  checkOptions(options)
  const { engine, logger } = options
  if (typeof engine?.broker?.publish !== 'function') throw badOption('engine', 'has to be an engine')
  if (!engine.shared)
    throw badOption('engine', `must not be "${engine.name}": it reaches no other process. ${INSTEAD}`)
  checkLogger(logger)
  return options
}

const CLOSED = 'The publisher is closed'

const INSTEAD =
  'In the process of the server use its own publish(); for other processes share an engine such as Redis'
