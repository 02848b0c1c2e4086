import timers from 'node:timers'
import { createTimeouts, RpcError, startTimeout } from '@token-socket/protocol'
import type { Logger } from '@token-socket/server/engine'
import { destroy, type RedisHandle } from './redis-handle.js'
import { isAnswer } from './refusals.js'
import type { ThrottledLog } from './throttled-log.js'

/** Kept when the module loads: test tools replace the global with one that waits for a clock. */
const { setImmediate } = timers

/**
 * Milliseconds between the loss of a connection and the attempts to restore it: each time a random
 * part of the next step.
 */
const RETRY = { first: 100, most: 2000 }

/**
 * Milliseconds after which a connection counts as stable. Before that, its loss counts as a further
 * failed attempt.
 */
const STABLE = 5000

/** Dependencies of a {@link RedisConnection}. */
export interface ConnectionOwner {
  /** The name in logs. */
  readonly name: string
  readonly commandTimeout: number
  readonly connectTimeout: number
  readonly logger: Pick<Logger, 'info' | 'warn'>
  readonly throttledLog: ThrottledLog
  /** Creates a client that is not connected yet. */
  open(): Promise<RedisHandle>
  /** Prepares a new connection before any other use of it. */
  prepare(client: RedisHandle): Promise<unknown>
  /** It is connected, for the first time or again. */
  ready(): void
  /** Receives whether it is connected, by its name. @default none */
  readonly health?: { set(about: string, reason: string | undefined): void }
  /** An operation failed. @param cause the error of Redis or the network */
  refused?(cause: unknown): void
}

/**
 * A connection that is restored automatically. Operations wait while it connects. They fail at once
 * while it is away. Operations under way when it is lost fail with an unknown outcome. All fail
 * with `engine_unavailable`.
 */
export class RedisConnection {
  readonly #owner: ConnectionOwner
  readonly #timeouts = createTimeouts()
  #client: RedisHandle | undefined
  #attempt: Promise<RedisHandle> | undefined
  #retries = 0
  #since = Number.POSITIVE_INFINITY
  #heard = 0
  #isAway = false
  #isClosed = false
  #stopTimer = () => {}

  constructor(owner: ConnectionOwner) {
    this.#owner = owner
    this.#report(false)
    this.#connect()
  }

  /** For how many milliseconds it has been connected; below 0 if it is not. */
  get age(): number {
    return performance.now() - this.#since
  }

  /** Whether it is connected. */
  get isReady(): boolean {
    return this.#client !== undefined
  }

  /**
   * Uses the connection, in the order of the calls.
   * @throws RpcError `engine_unavailable`; its cause is the error of Redis or the network
   */
  run<T>(use: (client: RedisHandle) => Promise<T>): Promise<T> {
    if (this.#client) return this.#withinTime(use(this.#client))
    if (this.#attempt) return this.#withinTime(this.#attempt.then(use))
    return Promise.reject(unavailable(new Error(`the ${this.#owner.name} connection to Redis is away`)))
  }

  /** Replaces the connection by a new one, if it is connected. */
  renew(cause: Error): void {
    if (this.#client) this.#lose(this.#client, cause)
  }

  /** Resolves when the operations under way are done, and the connection is closed. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#report(true)
    this.#stopTimer()
    const client = this.#client
    this.#client = undefined
    await this.#attempt?.catch(() => {})
    if (client) {
      await this.#withinTime(client.close()).catch(() => {})
      destroy(client)
    }
    this.#timeouts.clear()
  }

  #connect(): void {
    this.#attempt = this.#open()
    this.#attempt.then(
      (client) => this.#opened(client),
      (cause) => this.#failed(cause),
    )
  }

  async #open(): Promise<RedisHandle> {
    const { connectTimeout, open } = this.#owner
    let opened: RedisHandle | undefined
    const prepared = open().then((client) => {
      opened = client
      return this.#prepare(client)
    })
    await withinTime(connectTimeout, prepared).catch((cause) => {
      destroy(opened)
      // A client that is destroyed while it connects may still connect afterwards.
      const end = () => destroy(opened)
      prepared.then(end, end)
      throw cause
    })
    const client = await prepared
    if (!client.isReady) throw new Error('the connection was lost')
    this.#client = client
    return client
  }

  async #prepare(client: RedisHandle): Promise<RedisHandle> {
    client.on('error', (cause) => this.#lose(client, cause))
    await client.connect()
    await this.#owner.prepare(client)
    return client
  }

  #opened(client: RedisHandle): void {
    this.#attempt = undefined
    if (this.#isClosed) {
      this.#client = undefined
      return destroy(client)
    }
    this.#since = performance.now()
    if (this.#isAway) this.#owner.logger.info({ connection: this.#owner.name }, 'Redis is back')
    this.#isAway = false
    this.#report(true)
    this.#owner.ready()
  }

  #failed(cause: unknown): void {
    this.#attempt = undefined
    this.#away(cause)
    this.#retry()
  }

  /** A connection can no longer be used. */
  #lose(client: RedisHandle, cause: unknown): void {
    if (this.#client !== client) return
    if (this.age >= STABLE) this.#retries = 0
    this.#client = undefined
    this.#since = Number.POSITIVE_INFINITY
    this.#away(cause)
    destroy(client)
    this.#retry()
  }

  #away(err: unknown): void {
    if (!this.#isAway && !this.#isClosed) {
      this.#owner.logger.warn({ err, connection: this.#owner.name }, 'Redis is away')
      this.#report(false)
    }
    this.#isAway = true
  }

  /** The names of connections may end with addresses, which are not made public. */
  #report(isThere: boolean): void {
    const { name, health } = this.#owner
    health?.set(name, isThere ? undefined : `the ${name.split(' ', 1)[0]} connection to Redis is away`)
  }

  #retry(): void {
    if (this.#isClosed || this.#attempt) return
    const retries = this.#retries++
    if (retries === 0) return this.#connect()
    const wait = Math.random() * Math.min(RETRY.most, RETRY.first * 2 ** retries)
    this.#stopTimer()
    this.#stopTimer = startTimeout(wait, () => this.#connect())
  }

  #withinTime<T>(result: Promise<T>): Promise<T> {
    const begun = performance.now()
    const { commandTimeout } = this.#owner
    return new Promise((resolve, reject) => {
      let isSettled = false
      // The answer may have arrived: after a pause of this process timers run first, and arrived
      // data is read after them.
      const expire = () => setImmediate(giveUp)
      const giveUp = () => {
        if (isSettled) return
        const cause = new Error(`Redis did not answer in ${commandTimeout} ms`)
        reject(unavailable(cause))
        // Redis answers in order: without any answer since then, this one will not come.
        if (this.#client && this.#since < begun && this.#heard < begun) this.#lose(this.#client, cause)
      }
      const settled = (isHeard: boolean) => {
        isSettled = true
        this.#timeouts.delete(expire)
        if (isHeard) this.#heard = performance.now()
      }
      this.#timeouts.set(expire, commandTimeout)
      result.then(
        (value) => {
          settled(true)
          resolve(value)
        },
        (cause) => {
          // A command that fails because the queue is full says nothing about Redis.
          settled(isAnswer(cause))
          reject(this.#refused(cause))
        },
      )
    })
  }

  #refused(cause: unknown): RpcError {
    this.#owner.refused?.(cause)
    const client = this.#client
    if (client) this.#owner.throttledLog.warn('Redis refused something', { err: cause })
    // The primary has become a replica: another one may have the same address.
    if (client && /\bREADONLY\b/.test(String(cause))) this.#lose(client, cause)
    return unavailable(cause)
  }
}

/** Returns the error of an operation that Redis could not execute. */
export function unavailable(cause: unknown): RpcError {
  return RpcError.is(cause) ? cause : new RpcError('engine_unavailable', undefined, undefined, cause)
}

function withinTime<T>(ms: number, result: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = startTimeout(ms, () => reject(new Error(`Redis could not be reached in ${ms} ms`)))
    result.then(resolve, reject).finally(stop)
  })
}
