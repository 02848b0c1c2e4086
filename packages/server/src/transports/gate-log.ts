import type { IncomingMessage } from 'node:http'
import { pathOf } from '../http/intercept.js'
import { shorten } from '../runtime/shorten.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'

/** A limit that refuses connections. */
export interface ReachedLimit {
  readonly option: string
  readonly limit: number
  readonly address?: string
}

/**
 * Logs what a gate refuses, at most one line of each kind a minute, because strangers can repeat
 * all of them.
 */
export class GateLog {
  readonly #log: Pick<ThrottledLog, 'write'> | undefined
  readonly #prefix: string

  /** @param log receives the lines. Without it nothing is logged */
  constructor(log: Pick<ThrottledLog, 'write'> | undefined, prefix: string) {
    this.#log = log
    this.#prefix = prefix
  }

  /** An upgrade under the prefix was refused. @param status such as `404 Not Found` */
  upgrade(request: IncomingMessage, status: string): void {
    const details = { status, path: shorten(pathOf(request)) }
    this.#log?.write(`upgrade ${status}`, ['info', details, 'an upgrade was refused'])
  }

  /** No part of the HTTP server accepted an upgrade: the client probably has another prefix. */
  unwanted(request: IncomingMessage): void {
    const path = shorten(pathOf(request))
    const details = { status: '404 Not Found', path, prefix: this.#prefix, hint: OTHER_PREFIX }
    this.#log?.write('unwanted upgrade', ['warn', details, 'an upgrade was refused'])
  }

  /** A request under the prefix was refused. @param reason a text of the library */
  request(request: IncomingMessage, status: number, reason: string): void {
    const details = { status, reason, method: request.method, path: shorten(pathOf(request)) }
    this.#log?.write(`request ${status} ${reason}`, ['info', details, 'a request was refused by the gate'])
  }

  /** A request for a polling session came from another client than the session is bound to. */
  stranger(request: IncomingMessage): void {
    const details = {
      status: 404,
      method: request.method,
      path: shorten(pathOf(request)),
      hint: SEVERAL_ADDRESSES,
    }
    this.#log?.write('request of a stranger', [
      'info',
      details,
      "a request for another client's session was refused",
    ])
  }

  /** A body has a content type that is not accepted. */
  contentType({ headers }: IncomingMessage): void {
    const details = { contentType: shorten(headers['content-type'] ?? '') }
    this.#log?.write('body content type', ['info', details, 'a request body was refused'])
  }

  /** The body of a request of a polling session was refused. */
  body(status: number, reason: string, about: { readonly address: string; readonly limit?: number }): void {
    this.#log?.write(`body ${reason}`, ['info', { status, reason, ...about }, 'a request body was refused'])
  }

  /**
   * A connection limit has refused a connection. The operator has to know, because legitimate
   * clients are refused, too.
   */
  limit(details: ReachedLimit): void {
    this.#log?.write(details.option, ['warn', details, 'a limit of connections is reached'])
  }
}

const OTHER_PREFIX =
  "no socket server has this path: the client's socketPrefix and the server's prefix have to be the same"

const SEVERAL_ADDRESSES =
  'if it is an honest client, its requests leave by several addresses: see the option bindSessions'
