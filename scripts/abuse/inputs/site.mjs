// The real server that generated inputs are sent to, in this process, and what of it must not grow.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import jwt from 'jsonwebtoken'
import { until } from './breach.mjs'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

export const SECRET = 'at least 32 bytes of randomness!'

/** Everybody may do everything: what is refused by a rule is refused before most of the code has run. */
const channels = {
  'kept-*': { subscribe: true, publish: true, history: { size: 5, ttl: 60_000 } },
  'room-*': { subscribe: true, publish: true, presence: true },
  '*': { subscribe: true, publish: true },
}

const echo = (_auth, data) => data
const socketController = {
  echo,
  asksBack: (_auth, data, _callback, socket) => socket.rpc('anything', data),
  later: async (_auth, data) => data,
  fails: () => {
    throw new Error('as it is meant to')
  },
  nested: { echo },
}

const silent = () => {}

/** Whom the header says: any JSON, as an application's own code might give it. */
function authentication(request) {
  const given = request.headers['x-auth']
  return given === undefined ? { uid: 'guest' } : JSON.parse(Buffer.from(given, 'base64url'))
}

export class Site {
  #http
  #sockets
  #resources
  port = 0

  static async open() {
    const site = new Site()
    const app = express()
    app.set('query parser', 'extended')
    app.use(express.urlencoded({ extended: true }), express.json({ strict: false }))
    site.#http = createServer(app)
    site.#sockets = new TokenSocketServer({
      ...{ app, server: site.#http, secret: SECRET, socketController, channels, authentication },
      transports: ['websocket', 'xhr-streaming', 'xhr-polling', 'eventsource', 'jsonp-polling', 'htmlfile'],
      logger: { debug: silent, info: silent, warn: silent, error: silent },
      presenceGrace: 0,
      // What is not of the wire is closed when this is over.
      authTimeout: 1000,
      // A socket that is closed for what it sends would leave the rest of it unanswered.
      limits: { rate: 1_000_000_000, wrongMessages: 1_000_000_000, subscriptions: 5 },
    })
    site.#sockets.on('error', silent)
    // Express takes a fourth parameter for an error handler.
    app.use((error, _request, response, _next) => response.status(error.status ?? 500).end())
    site.#http.listen(0, '127.0.0.1')
    await once(site.#http, 'listening')
    site.port = site.#http.address().port
    site.#resources = countedResources()
    return site
  }

  /** A token that opens as many sockets as one likes: it has no `jti`. */
  token(uid = 'mallory') {
    return jwt.sign({ scope: 'connect', uid }, SECRET, { expiresIn: 3600, algorithm: 'HS256' })
  }

  /** A token that gives a socket these claims, whatever they are. */
  channelToken(claims, connectionId) {
    const exp = Math.floor(Date.now() / 1000) + 60
    const payload = JSON.stringify({ exp, ...claims, scope: 'subscribe', connectionId })
    return jwt.sign(payload, SECRET, { algorithm: 'HS256' })
  }

  /** Waits until nothing of what came is left but memory. @throws Breach */
  async settle() {
    const rest = () => {
      const resources = countedResources()
      const more = Object.keys(resources).filter((name) => resources[name] > (this.#resources[name] ?? 0))
      const [sockets, open] = [this.#sockets.sockets().length, this.#sockets.channels().length]
      return { sockets, channels: open, resources: more.map((name) => `${resources[name]} ${name}`) }
    }
    const isEmpty = ({ sockets, channels, resources }) => sockets + channels + resources.length === 0
    await until(
      () => isEmpty(rest()),
      () => `something is left when all clients are gone: ${JSON.stringify(rest())}`,
      30_000,
    )
  }

  /** Bytes that live. */
  async heap() {
    await new Promise((resolve) => setTimeout(resolve, 50))
    collectGarbage()
    collectGarbage()
    return process.memoryUsage().heapUsed
  }

  async close() {
    await this.#sockets.shutdown()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }
}

/** How many of each kind keep this process alive; the poll's own timer is not counted. */
function countedResources() {
  const counts = {}
  for (const name of process.getActiveResourcesInfo()) {
    if (name === 'Timeout' || name === 'Immediate') continue
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
