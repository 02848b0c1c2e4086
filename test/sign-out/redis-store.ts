/** A store that nodes share, as connect-redis is one: JSON under `sess:`, with the life of the cookie. */
import { type SessionData, Store } from 'express-session'
import type { Admin } from '../redis/redis-process.js'

type Callback<T = unknown> = (error: unknown, result?: T) => void

/** Seconds that a session lives whose cookie has no end. */
const TTL = 86_400

export class RedisStore extends Store {
  readonly #client: Admin

  constructor(client: Admin) {
    super()
    this.#client = client
  }

  override async get(sid: string, callback: Callback<SessionData | null>): Promise<void> {
    await settle(callback, async () => {
      const json = await this.#client.get(`sess:${sid}`)
      return json === null ? null : (JSON.parse(json) as SessionData)
    })
  }

  override async set(sid: string, session: SessionData, callback: Callback = () => {}): Promise<void> {
    await settle(callback, () =>
      this.#client.set(`sess:${sid}`, JSON.stringify(session), {
        expiration: { type: 'PX', value: lifeOf(session) },
      }),
    )
  }

  override async touch(sid: string, session: SessionData, callback: Callback = () => {}): Promise<void> {
    await settle(callback, () => this.#client.pExpire(`sess:${sid}`, lifeOf(session)))
  }

  override async destroy(sid: string, callback: Callback = () => {}): Promise<void> {
    await settle(callback, () => this.#client.del(`sess:${sid}`))
  }
}

async function settle<T>(callback: Callback<T>, work: () => Promise<T>): Promise<void> {
  const [error, result] = await work().then(
    (done) => [null, done] as const,
    (failure) => [failure, undefined] as const,
  )
  callback(error, result)
}

function lifeOf({ cookie }: SessionData): number {
  return cookie.expires ? Math.max(1, Number(new Date(cookie.expires)) - Date.now()) : TTL * 1000
}
