/** Sockets that only note their orders, and sites with routes that give them. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SignOutSockets, Who } from '@token-socket/sign-out'
import express, { type Express } from 'express'
import express4 from 'express4'

/** Sockets that note what they are told. */
export class NotedOrders implements SignOutSockets {
  readonly orders: (readonly [order: string, who: Who])[] = []
  /** What orders fail with. @default they do not fail */
  failure: Error | undefined
  isConnected = true

  readonly cluster = {
    revoke: async (who: Who) => this.#note('revoke', who),
    refresh: async (who: Who) => this.#note('refresh', who),
    isConnected: async () => this.isConnected,
  }

  #note(order: string, who: Who): void {
    this.orders.push([order, who])
    if (this.failure) throw this.failure
  }
}

/** The Express versions that routes are for. */
export const EXPRESS: Readonly<Record<string, () => Express>> = {
  'Express 5': express,
  'Express 4': express4 as unknown as () => Express,
}

/** An application on a port of its own. */
export class App {
  readonly #http: Server

  private constructor(app: Express) {
    this.#http = createServer(app)
  }

  static async start(app: Express): Promise<App> {
    const one = new App(app)
    await once(one.#http.listen(0, '127.0.0.1'), 'listening')
    return one
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }
}

/** Starts applications for the tests of this `describe`, and stops them after each test. */
export function useApps(): (app: Express) => Promise<App> {
  const apps: App[] = []
  afterEach(() => Promise.all(apps.splice(0).map((app) => app.stop())))
  return async (app) => {
    const one = await App.start(app)
    apps.push(one)
    return one
  }
}
