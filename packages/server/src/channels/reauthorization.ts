import type { Authorization } from '../claims/authorization.js'
import type { RemoteClient } from '../remote-client.js'
import type { Refusal } from '../vetoes.js'
import type { ChannelAccess } from './access.js'

/** Dependencies of {@link Reauthorization}. */
export interface ReauthorizationOwner {
  readonly access: Pick<ChannelAccess, 'decide'>
  has(socket: RemoteClient, channel: string): boolean
  /** Whether the server itself subscribed a socket: that stays. */
  isOwn(socket: RemoteClient, channel: string): boolean
  /** Takes a socket off a channel that it may not have any longer. */
  revoke(socket: RemoteClient, channel: string): void
  failed(cause: unknown, details: object): void
}

/**
 * Judges again what a socket has, after its authorization was replaced: by the same policy that let
 * it in. A change during a judging begins another one, and both end with the last one.
 */
export class Reauthorization {
  readonly #owner: ReauthorizationOwner
  /** The last judging of each socket, while it runs. */
  readonly #running = new WeakMap<RemoteClient, Promise<unknown>>()

  constructor(owner: ReauthorizationOwner) {
    this.#owner = owner
  }

  /**
   * Judges all subscriptions of a socket by its present authorization. Never rejects.
   * @returns resolves when nothing is left that only an older authorization allowed
   */
  async judge(socket: RemoteClient, _before: Authorization): Promise<void> {
    let last: Promise<unknown> | undefined = this.#judgeAll(socket)
    this.#running.set(socket, last)
    for (let awaited: unknown; last !== awaited && last; last = this.#running.get(socket)) {
      awaited = last
      await last
    }
    this.#running.delete(socket)
  }

  #judgeAll(socket: RemoteClient): Promise<unknown> {
    const { version } = socket.authorization
    return Promise.all(socket.channels.map((channel) => this.#judgeOne(socket, channel, version)))
  }

  async #judgeOne(socket: RemoteClient, channel: string, version: number): Promise<void> {
    if (this.#owner.isOwn(socket, channel)) return
    const refused = await this.#decide(socket, channel)
    const isCurrent = !socket.isClosed && socket.authorization.version === version
    if (refused && isCurrent && this.#owner.has(socket, channel)) this.#owner.revoke(socket, channel)
  }

  async #decide(socket: RemoteClient, channel: string): Promise<Refusal | undefined> {
    try {
      return await this.#owner.access.decide(socket, { type: 'subscribe', id: '', channel })
    } catch (error) {
      this.#owner.failed(error, { sid: socket.sid, channel, step: 'reauthorization' })
      return { error }
    }
  }
}
