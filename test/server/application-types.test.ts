/** What TypeScript takes of an application, and what it refuses: `npm run types` is what fails. */
import { type CallContext, type ClientController, TokenSocket } from '@token-socket/client'
import { LmdbEngine, type LmdbEngineOptions } from '@token-socket/lmdb'
import { RedisEngine, type RedisEngineOptions } from '@token-socket/redis'
import {
  type ChannelRuleTable,
  MemoryEngine,
  type MemoryEngineOptions,
  type PublicationOptions,
  type PublisherOptions,
  publisher,
  type ServerController,
  type ServerSocket,
  type SocketPageOptions,
  type SocketSelector,
  TokenSocketServer,
  type TokenSocketServerOptions,
} from '@token-socket/server'
import { expect } from 'chai'
import { Site } from '../end-to-end/fixture.js'

/** The options that may be left out, each `undefined`; one that does not take it fails to compile. */
type Undefined<Options> = {
  [Name in keyof Options as object extends Pick<Options, Name> ? Name : never]-?: undefined
}

const SERVER: Undefined<TokenSocketServerOptions> = {
  audience: undefined,
  bindSessions: undefined,
  authTimeout: undefined,
  authentication: undefined,
  channelsAsObject: undefined,
  channels: undefined,
  closeWhenStale: undefined,
  connectAuthentication: undefined,
  connectionHeaders: undefined,
  connectionQuery: undefined,
  customMiddleware: undefined,
  debug: undefined,
  enforceExpiry: undefined,
  engine: undefined,
  filter: undefined,
  functions: undefined,
  healthRoute: undefined,
  issuer: undefined,
  keys: undefined,
  legacy: undefined,
  limits: undefined,
  logger: undefined,
  origins: undefined,
  perMessageDeflate: undefined,
  ping: undefined,
  pingInterval: undefined,
  pingTimeout: undefined,
  plainErrors: undefined,
  prefix: undefined,
  presenceGrace: undefined,
  requireOrigin: undefined,
  revocationStaleness: undefined,
  revocationTtl: undefined,
  routes: undefined,
  secret: undefined,
  serveClient: undefined,
  sessionTtl: undefined,
  socketController: undefined,
  sockjsUrl: undefined,
  tokenRoute: undefined,
  tokenTtl: undefined,
  transports: undefined,
}
const MEMORY: Undefined<MemoryEngineOptions> = {
  channelBytes: undefined,
  channels: undefined,
  historyBytes: undefined,
  idempotencyKeys: undefined,
  presences: undefined,
  ticketBytes: undefined,
  tickets: undefined,
}
const PUBLICATION: Undefined<PublicationOptions> = {
  event: undefined,
  idempotencyKey: undefined,
  store: undefined,
}
const PAGE: Undefined<SocketPageOptions> = { after: undefined, limit: undefined }
const PUBLISHER: Undefined<PublisherOptions> = { channels: undefined, logger: undefined }

/** Runs nothing of it: the types are the test. */
function compile(sockets: TokenSocketServer, socket: ServerSocket, selectors: unknown[]): void {
  const server = new TokenSocketServer({
    app: {} as never,
    server: {} as never,
    ...SERVER,
    limits: { message: undefined },
  })
  selectors.push(server, publisher({ engine: new MemoryEngine(MEMORY), ...PUBLISHER }))
  void sockets.publish('a', 1, PUBLICATION)
  void sockets.cluster.sockets({ uid: 'ann' }, PAGE)
  void sockets.cluster.disconnect({ uid: 'ann' }, { reconnect: undefined })
  socket.end({ reconnect: undefined })
  const redis: RedisEngineOptions = {
    client: undefined,
    logger: undefined,
    prefix: undefined,
    tickets: undefined,
    url: undefined,
  }
  const lmdb: LmdbEngineOptions = { path: 'x', channels: undefined, tickets: undefined }
  selectors.push(new RedisEngine(redis), new LmdbEngine(lmdb))

  // Selectors name one thing, or conditions.
  const good: SocketSelector[] = [{ uid: 'ann' }, { where: 'all' }, { where: { uid: 'ann', channel: 'a' } }]
  selectors.push(...good)
  // @ts-expect-error two fields: the conditions go into `where`
  selectors.push({ uid: 'ann', channel: 'a' } satisfies SocketSelector)
  // @ts-expect-error no condition would mean every socket
  selectors.push({ where: {} } satisfies SocketSelector)
  // @ts-expect-error nothing is no selector
  selectors.push({} satisfies SocketSelector)
  // @ts-expect-error there is no such condition
  selectors.push({ where: { uid: 'ann', chanel: 'a' } } satisfies SocketSelector)

  // Rules answer on every path.
  const rules: ChannelRuleTable = {
    a: { subscribe: ({ uid }) => uid === 'ann' },
    b: { subscribe: async () => 'not today', publish: undefined, history: { ttl: 1, size: undefined } },
  }
  // @ts-expect-error it returns nothing, which refuses
  const silent: ChannelRuleTable = { a: { subscribe: () => {} } }
  // @ts-expect-error on one path it returns nothing
  const partial: ChannelRuleTable = { a: { subscribe: async ({ uid }) => (uid ? true : undefined) } }
  selectors.push(rules, silent, partial)

  // Functions narrow what they get, and `socket.auth` is theirs to declare.
  selectors.push({
    typed: (auth: { name: string }, data: number) => auth.name + data,
    own: (_auth, _data, _callback, { sid }, call) => [sid, call.signal.aborted],
  } satisfies ServerController)
  // @ts-expect-error no field is known until it is declared
  selectors.push(socket.auth.name)

  // Actions know their arguments.
  const client = new TokenSocket(
    {},
    {
      confirm: async (question: string, _callback, call) => [
        question.length,
        call.signal satisfies AbortSignal,
      ],
      nested: { later: (_data, callback) => callback(null, 1) },
    },
  )
  client.register({ deadline: (_data, _callback, call) => (call satisfies CallContext).deadline })
  const actions: ClientController = { echo: (data) => data }
  client.actions = actions
  // @ts-expect-error a call has no such field
  client.register({ wrong: (_data, _callback, call) => call.sinal })
}

describe('the types of an application', () => {
  it('compile', () => expect(compile).to.be.a('function'))

  it('let options be undefined that the run time takes for left out', async () => {
    const site = await Site.start({ ...SERVER, secret: 'x'.repeat(32), limits: { message: undefined } })
    new MemoryEngine(MEMORY)
    const { cluster } = site.sockets
    expect(await cluster.sockets({ uid: 'ann' }, PAGE)).to.have.property('sockets')
    expect(await cluster.disconnect({ uid: 'ann' }, { reconnect: undefined })).to.have.property('count', 0)
    expect(await site.sockets.publish('a', 1, PUBLICATION)).to.have.property('id')
    await site.stop()
  })
})
