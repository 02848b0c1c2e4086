/** A network whose requests leave by several addresses, as carrier-grade NAT and proxies of companies have it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where requests come from: the own address of their connections. */
export type From = '127.0.0.1' | '127.0.0.2' | '::1'

/** Settings of {@link ManyAddresses}. */
export interface ManyAddressesOptions {
  /** The port of the site. */
  readonly site: number
  /** Each request leaves by the next of them. */
  readonly from: readonly From[]
  /** Keeps cookies for its clients, which are programs, as browsers keep them. @default false */
  readonly keepsCookies?: boolean
  /** A path that is taken away from those of the requests. @default none */
  readonly below?: string
}

/** Passes requests on, each from the next of some addresses. */
export class ManyAddresses {
  readonly #server: Server
  readonly #options: ManyAddressesOptions
  /** By the folder of the request that they were set for. */
  readonly #cookies = new Map<string, string>()
  #turn = 0

  private constructor(options: ManyAddressesOptions) {
    this.#options = options
    this.#server = createServer((incoming, answer) => this.#pass(incoming, answer))
  }

  static async start(options: ManyAddressesOptions): Promise<ManyAddresses> {
    const network = new ManyAddresses(options)
    network.#server.listen(0, '127.0.0.1')
    await once(network.#server, 'listening')
    return network
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse): void {
    const { site, from, keepsCookies, below = '' } = this.#options
    const { method = '', url = '' } = incoming
    const folder = url.replace(/\/[^/]*$/, '')
    const cookie = keepsCookies ? this.#cookies.get(folder) : undefined
    const localAddress = from[this.#turn++ % from.length] as From
    const sent = request({
      host: localAddress === '::1' ? '::1' : '127.0.0.1',
      port: site,
      method,
      path: url.startsWith(below) ? url.slice(below.length) : url,
      localAddress,
      agent: false,
      headers: { ...incoming.headers, ...(cookie !== undefined && { cookie }) },
    })
    sent.on('response', (response) => {
      const [set] = response.headers['set-cookie'] ?? []
      if (set) this.#cookies.set(folder, String(set.split(';')[0]))
      answer.writeHead(response.statusCode ?? 500, response.headers)
      answer.flushHeaders()
      response.pipe(answer)
      response.on('error', () => answer.destroy())
    })
    sent.on('error', () => answer.destroy())
    answer.on('close', () => sent.destroy())
    incoming.pipe(sent)
  }
}
