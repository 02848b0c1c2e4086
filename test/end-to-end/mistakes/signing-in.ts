/** Mistakes for which the client does not become ready. */
import { instead, LISTEN, MAKE, OPTIONS, opened, SESSION, withOptions } from './edits.js'
import type { Mistake } from './first-programs.js'

/** A client without a cookie: where sessions are missing, there is none. */
const plain = [opened('host')]

export const SIGNING_IN: readonly Mistake[] = [
  {
    mistake: 'no session middleware',
    server: [[SESSION, '']],
    client: plain,
    says: [/req\.session is not there/, /mount the session middleware before TokenSocketServer/, /'auth'/],
  },
  {
    mistake: 'the session middleware after the server',
    server: [
      [SESSION, ''],
      [MAKE, MAKE + SESSION],
    ],
    client: plain,
    says: [/req\.session is not there/, /mount the session middleware before TokenSocketServer/],
  },
  {
    mistake: 'the session middleware after the server, as the client sees it',
    server: [
      [SESSION, ''],
      [MAKE, MAKE + SESSION],
    ],
    client: plain,
    says: [/not ready: the token request/, /\/socket\/token/, /HTTP status 500/, /session middleware/],
  },
  {
    mistake: 'an `authentication` that reads a session that is not there',
    server: [[SESSION, ''], withOptions('authentication: async (req) => req.session.auth')],
    client: plain,
    says: [
      /authentication threw/,
      /reading 'auth'/,
      /req\.session is not there: mount the session middleware/,
    ],
  },
  {
    mistake: 'an `authentication` that throws',
    server: [withOptions("authentication: async () => { throw new Error('no database') }")],
    says: [/authentication threw/, /option: 'authentication'/, /no database/],
  },
  {
    mistake: 'an `authentication` that never calls back',
    server: [withOptions('authentication: (req, callback) => {}, limits: { authenticationTimeout: 200 }')],
    says: [/option: 'authentication'/, /authentication did not answer within 200 ms/],
  },
  {
    mistake: 'an `authentication` whose promise has nothing in it',
    server: [withOptions('authentication: async (req) => { req.session.auth }')],
    says: [/not ready: the token request/, /HTTP status 403/, /`authentication` has to find the user/],
  },
  {
    mistake: 'a client that has not signed in',
    client: plain,
    says: [/not ready: the token request/, /HTTP status 403/, /Sign in first/, /cookie/],
  },
  {
    mistake: 'a token request before the session is saved, in the log of the server',
    server: [withOptions('logger: console')],
    client: plain,
    says: [/a token request is refused/, /key: 'auth'/],
  },
  {
    mistake: 'a page of another origin',
    client: [opened("host, headers: { cookie, origin: 'http://localhost:5173' }")],
    says: [/an origin was refused/, /'http:\/\/localhost:5173'/, /option: 'origins'/, /add .* to `origins`/],
  },
  {
    mistake: 'a page of another origin, as the client sees it',
    client: [opened("host, headers: { cookie, origin: 'http://localhost:5173' }")],
    says: [/not ready/, /origin is not allowed/, /option `origins`/, /`changeOrigin` \(Vite\)/],
  },
  {
    mistake: 'a proxy that changes Host',
    client: [
      opened("host, headers: { cookie, origin: 'https://www.example.com', 'x-forwarded-for': '192.0.2.1' }"),
    ],
    says: [/an origin was refused/, /a proxy changes `Host`/, /proxy_set_header Host \$http_host/],
  },
  {
    mistake: 'a proxy that says which Host it has changed, and no `trust proxy`',
    client: [
      opened(
        "host, headers: { cookie, origin: 'http://www.example.com', 'x-forwarded-host': 'www.example.com' }",
      ),
    ],
    says: [/an origin was refused/, /is not trusted/, /app\.set\('trust proxy', …\) with its address/],
  },
  {
    mistake: 'another `socketPrefix` than the server’s `prefix`',
    client: [opened("host, headers: { cookie }, socketPrefix: '/socket'")],
    says: [/not ready: the connection/, /\/socket\/websocket/, /404/, /`socketPrefix`/, /`prefix`/],
  },
  {
    mistake: 'another `socketPrefix` than the server’s `prefix`, as the server sees it',
    client: [opened("host, headers: { cookie }, socketPrefix: '/socket'")],
    says: [
      /an upgrade was refused/,
      /path: '\/socket\/websocket'/,
      /prefix: '\/sockets'/,
      /have to be the same/,
    ],
  },
  {
    mistake: 'another `tokenPath` than the server’s `tokenRoute`',
    client: [opened("host, headers: { cookie }, tokenPath: '/token'")],
    says: [/not ready: the token request/, /404/, /\/token/, /`tokenPath`/, /`tokenRoute`/],
  },
  {
    mistake: 'https for a server that speaks http',
    client: [opened("host: host.replace('http:', 'https:'), headers: { cookie }")],
    says: [/not ready: the token request/, /https:\/\/localhost/, /no TLS/, /write http:\/\//],
  },
  {
    mistake: '`app.listen()` instead of `server.listen()`',
    server: [[LISTEN, "note('servers', app.listen(0))"]],
    says: [/another HTTP server than the one that was given as `server`/, /instead of app\.listen\(\)/],
  },
  {
    mistake: '`app.listen()` instead of `server.listen()`, as the client sees it',
    server: [[LISTEN, "note('servers', app.listen(0))"]],
    says: [/not ready: the connection/, /\/sockets\/websocket/, /`server\.listen\(\)`/, /`app\.listen\(\)`/],
  },
  {
    mistake: 'a page in the place of the token route',
    server: [["app.get('/sign-in'", "app.use('/app', (req, res) => res.send('<p>Hi'))\napp.get('/sign-in'"]],
    client: [opened("host, headers: { cookie }, tokenPath: '/app'")],
    says: [/not ready: the token request/, /\/app/, /not JSON/, /`tokenPath`/],
  },
  {
    mistake: 'the answer of the token route as the token',
    client: [opened("host, token: { token: 'x' }")],
    says: [/token has to be a string or a function/],
  },
  {
    mistake: 'a `token` function that resolves the answer of the token route',
    client: [opened("host, token: async () => ({ token: 'x' })")],
    says: [/not ready: the option `token` fails/, /no token in the answer/, /function that gives one/],
  },
  {
    mistake: 'middleware that calls no `next`',
    server: [instead('sockets.use(async (context, next) => { console.log(context.type) })')],
    says: [/middleware/, /next/, /authentication/],
  },
  {
    mistake: 'no `host` in Node',
    client: [opened('headers: { cookie }')],
    says: [/host has to be given/],
  },
  {
    mistake: 'the URL as the first argument',
    client: [[OPTIONS, 'host, { headers: { cookie } }']],
    says: [/Give the server as an option/, /new TokenSocket\(\{ host: 'http:\/\/localhost/],
  },
  {
    mistake: 'a misspelt option of the client',
    client: [opened("host, headers: { cookie }, tokenpath: '/x'")],
    says: [/no option tokenpath/, /Did you mean tokenPath\?/],
  },
  {
    mistake: 'a misspelt transport',
    client: [opened("host, headers: { cookie }, transports: ['ws']")],
    says: [/transports has to be a list of "websocket" and "sockjs"/],
  },
  {
    mistake: 'another key of the session than the one that signing in sets',
    server: [withOptions("authentication: 'user'")],
    says: [/a session has values, but none under the key/, /'user'/, /auth/],
  },
  {
    mistake: 'an `authentication` that gives `new Boolean(false)`',
    server: [withOptions('authentication: async () => new Boolean(false)')],
    says: [
      /authentication gave an object of Boolean that is no object as JSON, so the token request is refused/,
    ],
  },
  {
    mistake: 'an `authentication` that returns an error',
    server: [withOptions("authentication: async () => new Error('not signed in')")],
    says: [/authentication gave an error as its answer, which counts as thrown/, /throw it/],
  },
  {
    mistake: 'an `authentication` that takes a callback and returns a value',
    server: [withOptions('authentication: (req, callback) => req.session.auth')],
    says: [/authentication takes a callback and returned a value, which counts/, /return nothing/],
  },
  {
    mistake: '`authentication` beside `token`',
    client: [opened("host, authentication: { key: 1 }, token: 'x'")],
    says: [/The option authentication goes with requests to the token route/, /it is ignored/],
  },
  {
    mistake: 'a Set in what `authentication` gives',
    server: [withOptions("authentication: async () => ({ name: 'Ann', roles: new Set(['admin']) })")],
    says: [/JSON changes what `authentication` gave/, /roles is a Set/, /\[\.\.\.set\]/],
  },
  {
    mistake: 'a Set in what `connectAuthentication` gives',
    server: [withOptions("connectAuthentication: () => ({ roles: new Set(['admin']) })")],
    client: [opened('host, url: ({ url }) => url')],
    says: [/JSON changes what `connectAuthentication` gave/, /roles is a Set/, /\[\.\.\.set\]/],
  },
  {
    mistake: 'a `connectAuthentication` that gives a name',
    server: [withOptions("connectAuthentication: () => 'Ann'")],
    client: [opened('host, url: ({ url }) => url')],
    says: [/connectAuthentication gave a string, so the connection is refused/, /return an object, true/],
  },
  {
    mistake: 'a client with `url`, and a server without `connectAuthentication`',
    client: [opened('host, url: ({ url }) => url')],
    says: [/the sign-in without a token fails/, /code 4500/, /give it the option `connectAuthentication`/],
  },
  {
    mistake: 'a `url` of another server',
    client: [opened("host, url: () => 'ws://other.example/'")],
    says: [/the option `url` fails/, /not ws:\/\/other\.example/, /same protocol, host and port/],
  },
  {
    mistake: 'a `url` that gives nothing',
    client: [opened('host, url: () => {}')],
    says: [/the option `url` fails/, /gave no URL/, /It gets `\{ url \}`/],
  },
]
