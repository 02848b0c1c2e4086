// The legacy server, as its README sets it up, in a process of its own: what makes it crash must not end the tests.
// The test asks for things by messages `{ id, name, args }`, and gets `{ id, error }` or `{ id, data }`.

const http = require('node:http')
const express = require('express4')
const session = require('express-session')
const redis = require('redis-0.12')
const sockjs = require('sockjs')
const TokenSocketServer = require('node-token-sockjs')

const { port, redisPort, options } = JSON.parse(process.argv[2])

const app = express()
const tokenRequests = []
app.use((request, _response, next) => {
  if (request.path === '/socket/token') tokenRequests.push(request.method)
  next()
})
// Always the same id, so that a session is known again after a restart as it would be with a store of its own.
app.use(session({ secret: 'test', genid: () => 'session-of-ada', resave: false, saveUninitialized: false }))
app.get('/sign-in', (request, response) => {
  request.session.auth = { user: 'ada' }
  response.end()
})

const server = http.createServer(app)
// Its iframe page needs the client's script: without this setting, a CDN's.
const script = '/sockjs.min.js'
const scriptFile = require.resolve('sockjs-client/dist/sockjs.min.js')
app.get(script, (_request, response) => response.sendFile(scriptFile, { dotfiles: 'allow' }))
const socketServer = sockjs.createServer({ sockjs_url: script, log() {} })
socketServer.installHandlers(server, { prefix: '/sockets' })

const controller = {
  echo: (_auth, data, callback) => callback(null, data),
  whoami: (auth, _data, callback) => callback(null, auth),
  never: () => {},
  nested: { deeper: { name: (_auth, _data, callback) => callback(null, 'nested.deeper.name') } },
  failText: (_auth, _data, callback) => callback('no more'),
  failObject: (_auth, _data, callback) => callback({ status: 402 }),
  failError: (_auth, _data, callback) => callback(Object.assign(new Error('No stock'), { left: 0 })),
}

const tokenServer = new TokenSocketServer(
  app,
  redis.createClient(redisPort, '127.0.0.1'),
  socketServer,
  Object.assign(
    {
      pubsubClient: redis.createClient(redisPort, '127.0.0.1'),
      socketController: controller,
      routes: { user: { read: (request, response) => response.json({ of: request.query.id }) } },
      ping: true,
    },
    options,
    options.authentication === 'query' && {
      authentication: (request, callback) => callback(null, request.query.foo ? request.query : false),
    },
  ),
)

tokenServer.on('subscribe', (_socket, { channel }, callback) => {
  if (channel === 'error') callback(new Error('not today'))
  else callback(null, channel !== 'admin')
})
tokenServer.on('unsubscribe', (_socket, { channel }, callback) => callback(null, channel !== 'sticky'))
tokenServer.on('publish', (_socket, { channel }, callback) => callback(null, channel !== 'admin'))
tokenServer.on('broadcast', (_socket, { data }, callback) => callback(null, data !== 'loud'))

const socketOf = (sid) => tokenServer.sockets().find((socket) => socket.sid === sid)

const answers = {
  sockets: () =>
    tokenServer.sockets().map(({ sid, auth, channels }) => ({ sid, auth, channels: Object.keys(channels) })),
  rpc: (sid, name, data) =>
    new Promise((resolve) => {
      tokenServer.rpc(socketOf(sid), name, data, (error, result) => resolve([error ?? null, result ?? null]))
    }),
  subscribe: (sid, channel) => tokenServer.subscribe(socketOf(sid), channel),
  unsubscribe: (sid, channel) => tokenServer.unsubscribe(socketOf(sid), channel),
  unsubscribeAll: (channel) => tokenServer.unsubscribeAll(channel),
  publish: (channel, data) => tokenServer.publish(channel, data),
  broadcast: (data) => tokenServer.broadcast(data),
  closeAll: () => {
    for (const socket of tokenServer.sockets()) socket.end()
  },
  tokenRequests: () => tokenRequests,
}

process.on('message', async ({ id, name, args }) => {
  try {
    process.send({ id, data: (await answers[name](...args)) ?? null })
  } catch (error) {
    process.send({ id, error: error.message })
  }
})
process.on('disconnect', () => process.exit())

server.listen(port, '127.0.0.1', () => process.send({ port: server.address().port }))
