/** Mistakes in how the server is set up. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instead, LISTEN, MAKE, made, SECRET, withOptions } from './edits.js'
import type { Mistake } from './first-programs.js'

const isServerOnly = true

const OTHER_PATHS = ", prefix: '/others', tokenRoute: '/others-token'"

/** A server with the engine of that name. */
const withEngine = (name: string, more = '') =>
  `const ${name} = new TokenSocketServer({ app, server, engine, ${SECRET}socketController${more} })\n`

const SHUT_DOWN = `await others.shutdown()\n${withEngine('sockets')}`

const path = join(mkdtempSync(join(tmpdir(), 'token-socket-')), 'store')

export const SET_UP: readonly Mistake[] = [
  {
    mistake: 'no secret',
    isServerOnly,
    server: [[SECRET, '']],
    says: [/no secret is set/, /for this process only/, /option: 'secret'/],
  },
  {
    mistake: 'workers of a cluster with an engine each',
    isServerOnly,
    server: [
      [
        MAKE,
        `const { default: cluster } = await import('node:cluster')\ncluster.isWorker = true\n${MAKE}\ncluster.isWorker = false\n`,
      ],
    ],
    says: [/a worker of a cluster, and its engine is its own/, /redisEngine/, /option: 'engine'/],
  },
  {
    mistake: 'a short secret',
    isServerOnly,
    server: [[SECRET, "secret: 'x', "]],
    says: [/secret is shorter than the 32 bytes/],
  },
  {
    mistake: 'an empty secret',
    isServerOnly,
    server: [[SECRET, "secret: '', "]],
    says: [/secret must not be empty/, /randomBytes\(32\)/],
  },
  {
    mistake: 'a number as the secret',
    isServerOnly,
    server: [[SECRET, 'secret: 42, ']],
    says: [/secret has to be a string or a Buffer, not a number/, /randomBytes\(32\)/],
  },
  {
    mistake: 'two servers on one prefix',
    isServerOnly,
    server: [[MAKE, MAKE + MAKE.replace('sockets', 'others')]],
    says: [/prefix \(\/sockets\) is used by another TokenSocketServer/],
  },
  {
    mistake: 'a port that is in use',
    isServerOnly,
    server: [
      [LISTEN, 'const earlier = createServer(app).listen(0, () => server.listen(earlier.address().port))'],
    ],
    says: [/listen EADDRINUSE: address already in use/, /port: \d+/],
  },
  {
    mistake: 'positional arguments, as the legacy server had them',
    isServerOnly,
    server: [made('app, server, { socketController }')],
    says: [/not an Express application/, /new TokenSocketServer\(\{ app, server \}\)/],
  },
  {
    mistake: 'no app',
    isServerOnly,
    server: [made('{ server, socketController }')],
    says: [/app has to be an Express application, not nothing/],
  },
  {
    mistake: 'no server',
    isServerOnly,
    server: [made('{ app, socketController }')],
    says: [/server has to be an HTTP server, not nothing/, /http\.createServer\(app\)/],
  },
  {
    mistake: 'a server of HTTP/2 only',
    isServerOnly,
    server: [made("{ app, server: (await import('node:http2')).createServer(), socketController }")],
    says: [/server has to take HTTP\/1\.1/, /allowHTTP1: true/],
  },
  {
    mistake: 'the app as the server',
    isServerOnly,
    server: [made('{ app, server: app, socketController }')],
    says: [/server has to be an HTTP server, not an Express application/, /http\.createServer\(app\)/],
  },
  {
    mistake: 'the server as the app',
    isServerOnly,
    server: [made('{ app: server, server, socketController }')],
    says: [/app has to be an Express application, not an HTTP server/],
  },
  {
    mistake: 'a misspelt option',
    isServerOnly,
    server: [withOptions('limts: { rate: 1 }')],
    says: [/no such option/, /'limts'/, /didYouMean: 'limits'/],
  },
  {
    mistake: 'a misspelt limit',
    isServerOnly,
    server: [withOptions('limits: { rates: 1 }')],
    says: [/no such option/, /'limits.rates'/, /didYouMean: 'limits.rate'/],
  },
  {
    mistake: 'a misspelt field of a rule',
    isServerOnly,
    server: [withOptions('channels: { chat: { subscribes: true } }')],
    says: [/channels\["chat"\]\.subscribes is not known/, /did you mean subscribe\?/],
  },
  {
    mistake: 'a wrong pattern of channels',
    isServerOnly,
    server: [withOptions("channels: { '#regex:(': { subscribe: true } }")],
    says: [/channels\["#regex:\("\] is no regular expression/, /missing closing \)/],
  },
  {
    mistake: 'the name of an engine instead of an engine',
    isServerOnly,
    server: [withOptions("engine: 'redis'")],
    says: [/engine has to be an engine, such as a MemoryEngine, not a string/],
  },
  {
    mistake: 'a misspelt option of the Redis engine',
    isServerOnly,
    server: [
      ['import express', "import { redisEngine } from '@token-socket/redis'\nimport express"],
      withOptions("engine: redisEngine({ uri: 'redis://localhost:1', url: 'redis://localhost:1' })"),
    ],
    says: [/no such option/, /'uri'/, /didYouMean: 'url'/],
  },
  {
    mistake: 'Redis is not there',
    isServerOnly,
    server: [
      ['import express', "import { redisEngine } from '@token-socket/redis'\nimport express"],
      withOptions("engine: redisEngine({ url: 'redis://localhost:1' })"),
    ],
    says: [/Redis is away/, /ECONNREFUSED/, /port: 1/],
  },
  {
    mistake: 'a misspelt event',
    isServerOnly,
    server: [instead("sockets.on('publsh', () => true)")],
    says: [/no event "publsh"/, /did you mean "publish"\?/],
  },
  {
    mistake: 'the event of Socket.IO for a new connection',
    isServerOnly,
    server: [instead("sockets.on('connection', (socket) => socket.join('room'))")],
    says: [/no event "connection"/, /did you mean "connected"\?/],
  },
  {
    mistake: 'an origin without its scheme',
    isServerOnly,
    server: [withOptions("origins: ['localhost:5173']")],
    says: [/origins: localhost:5173 is not an origin/, /such as https:\/\/example\.com/],
  },
  {
    mistake: 'a function as the controller',
    isServerOnly,
    server: [made('{ app, server, secret: "x".repeat(32), socketController: () => socketController }')],
    says: [/socketController has to be an object/],
  },
  {
    mistake: 'a router as the app',
    isServerOnly,
    server: [made('{ app: express.Router(), server, socketController }')],
    says: [/app has to be an Express application, not/],
  },
  {
    mistake: 'an engine for many nodes, and no secret',
    isServerOnly,
    server: [
      ['import express', "import { redisEngine } from '@token-socket/redis'\nimport express"],
      made("{ app, server, engine: redisEngine({ url: 'redis://localhost:1' }), socketController }"),
    ],
    says: [/secret has to be given/],
  },
  {
    mistake: 'one engine for two servers',
    isServerOnly,
    server: [
      ['import { TokenSocketServer }', 'import { MemoryEngine, TokenSocketServer }'],
      [
        MAKE,
        `const engine = new MemoryEngine()\n${withEngine('sockets')}${withEngine('others', OTHER_PATHS)}`,
      ],
    ],
    says: [/engine is a server's already/, /make one for each/],
  },
  {
    mistake: 'the engine of a server that was shut down',
    isServerOnly,
    server: [
      ['import express', "import { lmdbEngine } from '@token-socket/lmdb'\nimport express"],
      [MAKE, `const engine = lmdbEngine({ path: '${path}' })\n${withEngine('others')}${SHUT_DOWN}`],
    ],
    says: [/engine is closed, as shutdown\(\) does it/],
  },
]
