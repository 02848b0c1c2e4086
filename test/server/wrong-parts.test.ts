/** What is not an Express application, or not an HTTP server, and what the error says to give instead. */
import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { type RpcError, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import express4 from 'express4'
import { thrownBy } from '../protocol/rejection.js'

const none = () => {}

/** Objects with the methods that those of other frameworks have. */
class NestApplication extends EventEmitter {
  getHttpAdapter() {}
  getHttpServer() {}
  listen() {}
  close() {}
  use() {}
  get() {}
}

class ExpressAdapter {
  getInstance() {}
  getHttpServer() {}
  listen() {}
}

class Application extends EventEmitter {
  callback() {}
  createContext() {}
  listen() {}
  use() {}
}

const fastify = { inject: none, register: none, decorate: none, listen: none, get: none, server: {} }

/** A value, what it is called, and what to give instead of it as `app` and as `server`. */
const WRONG: readonly (readonly [value: unknown, name: string, app?: string, server?: string])[] = [
  [undefined, 'nothing'],
  [null, 'null'],
  [3000, 'a number'],
  ['http://localhost:3000', 'a string'],
  [[], 'a list'],
  [none, 'a function'],
  [express, 'a function'],
  [{ default: express() }, 'an object'],
  [Promise.resolve(express()), 'an object of Promise'],
  [express.Router(), 'a Router'],
  [express4.Router(), 'a Router'],
  [new EventEmitter(), 'an object of EventEmitter'],
  [process, `an object of ${process.constructor.name}`],
  [{ on: none, emit: none, listen: none }, 'an object'],
  [createTcpServer(), 'a server of TCP or TLS'],
  [createTlsServer(), 'a server of TCP or TLS'],
  [
    new NestApplication(),
    'an object of NestApplication',
    'app.getHttpAdapter().getInstance()',
    'app.getHttpServer()',
  ],
  [new ExpressAdapter(), 'an object of ExpressAdapter', 'getInstance()', 'getHttpServer()'],
  [fastify, 'an object', 'give fastify.express', 'fastify.server'],
  [new Application(), 'an object of Application', 'app.use(koa.callback())'],
]

describe('new TokenSocketServer', () => {
  const logger = { debug: none, info: none, warn: none, error: none }
  const make = (given: object) => {
    const app = express()
    return new TokenSocketServer({ app, server: createServer(app), secret: 's'.repeat(32), logger, ...given })
  }

  function refused(option: string, value: unknown, [name, instead]: readonly [string, string]): void {
    const error = thrownBy(() => make({ [option]: value })) as RpcError
    expect([error.code, (error.data as { field: string }).field]).to.deep.equal(['bad_option', option])
    const kind = option === 'app' ? 'an Express application' : 'an HTTP server'
    expect(error.message).to.match(new RegExp(`^Invalid option: ${option} has to be ${kind}, not ${name}: `))
    expect(error.message.split(': ').at(-1)).to.include(instead)
  }

  for (const [value, name, app = 'express()', server = 'http.createServer(app)'] of WRONG) {
    it(`refuses ${name} as app, and says to give ${app}`, () => refused('app', value, [name, app]))
    it(`refuses ${name} as server, and says to give ${server}`, () =>
      refused('server', value, [name, server]))
  }

  for (const [version, app] of [
    ['Express 5', express()],
    ['Express 4', express4()],
  ] as const) {
    it(`refuses an application of ${version} as server`, () =>
      refused('server', app, ['an Express application', 'http.createServer(app)']))
  }

  for (const server of [createServer(), createSecureServer({})]) {
    it('refuses an HTTP server as app', () => refused('app', server, ['an HTTP server', 'express()']))
    it('takes it as server', () => make({ server }).shutdown())
  }
})
