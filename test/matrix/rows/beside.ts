import type { Application } from '../application.js'
import { exchange } from '../exchange.js'
import type { Package, Row } from '../row.js'

const ws: Package = { name: 'ws', version: '^8.0.0' }
const note = 'Paths decide: requests below `prefix` are this server’s, all others are left to the other one.'

/** Another server of WebSockets on the same HTTP server: a client of each comes to its end. */
const beside = (
  name: string,
  version: string,
  packages: readonly Package[],
  more: Partial<Row> = {},
): Row => ({
  group: 'Beside other servers',
  name,
  packages,
  expected: 'works',
  note,
  run: (application) => exchange(application, { server: `beside/${name}.mjs`, version, check: greet }),
  ...more,
})

async function greet(url: string, application: Application, fixture = 'greet-websocket.mjs'): Promise<void> {
  await application.copy(`beside/${fixture}`, fixture)
  const { stdout, stderr } = await application.run('node', [fixture, url], { timeout: 30_000 })
  if (!stdout.includes('hello Ann')) throw new Error(`the other server: ${stdout}${stderr}`)
}

export const rows: readonly Row[] = [
  beside('ws', 'ws', [ws], { name: 'ws, by the event upgrade', suite: true }),
  {
    ...beside('ws-path', 'ws', [ws], { suite: true }),
    name: 'ws, by its option path',
  },
  beside('express-ws', 'express-ws', [{ name: 'express-ws', version: '^5.0.0' }, ws], {
    note: 'Give it the HTTP server: `expressWs(app, server)`.',
  }),
  {
    ...beside('socket.io', 'socket.io', [
      { name: 'socket.io', version: '^4.0.0' },
      { name: 'socket.io-client', version: '^4.0.0' },
    ]),
    name: 'Socket.IO',
    run: (application) =>
      exchange(application, {
        server: 'beside/socket.io.mjs',
        version: 'socket.io',
        check: (url) => greet(url, application, 'greet-socket-io.mjs'),
      }),
  },
  {
    group: 'Proxies',
    name: 'http-proxy',
    packages: [{ name: 'http-proxy', version: '^1.18.0' }],
    expected: 'works',
    note: 'Set `ws: true` and `xfwd: true`, pass the event `upgrade` on, and set `trust proxy` in Express.',
    run: (application) => exchange(application, { server: 'beside/http-proxy.mjs', version: 'http-proxy' }),
  },
]
