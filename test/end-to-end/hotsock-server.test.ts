/** The server of docs/HOTSOCK.md, as it is written, with a client in Hotsock's words. */
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { HotsockClient } from '@token-socket/client/hotsock'
import type { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import { until } from './fixture.js'

const root = new URL('../..', import.meta.url).pathname

describe('the server of docs/HOTSOCK.md', () => {
  const ends: (() => unknown)[] = []
  let url: string

  beforeEach(async () => {
    const folder = await mkdtemp(join(root, 'node_modules/.hotsock-'))
    const text = await readFile(join(root, 'docs/HOTSOCK.md'), 'utf8')
    const [, code = ''] = /```js hotsock-server\.mjs\n([\s\S]*?)```/.exec(text) ?? []
    const file = join(folder, 'hotsock-server.mjs')
    await writeFile(file, `${code}export { server, sockets }\n`)
    Object.assign(process.env, { KEY: 'k'.repeat(32), SESSION_SECRET: 's', PORT: '0' })
    const { server, sockets }: { server: Server; sockets: TokenSocketServer } = await import(file)
    if (!server.listening) await once(server, 'listening')
    url = `localhost:${(server.address() as AddressInfo).port}`
    ends.push(
      () => sockets.shutdown(),
      () => server.close(),
      () => rm(folder, { recursive: true }),
      () => ['KEY', 'SESSION_SECRET', 'PORT'].map((name) => delete process.env[name]),
    )
  })

  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  /** Asks a route as a page with a cookie does. */
  const ask = (path: string, cookie: string, body: object = {}) =>
    fetch(`http://${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(body),
    })

  it('gives tokens to those who signed in, for what they may have', async () => {
    expect((await ask('/connect-token', '')).status).to.equal(401)
    const cookie = (await ask('/sign-in', '')).headers.get('set-cookie') ?? ''
    expect((await ask('/subscribe-token', cookie, { channel: 'user.ben' })).status).to.equal(403)
    const post = async (path: string, body?: object): Promise<string> =>
      (await (await ask(path, cookie, body)).json()).token
    const client = new HotsockClient(`ws://${url}/sockets`, { connectTokenFn: () => post('/connect-token') })
    ends.unshift(() => client.terminate())
    const heard: unknown[] = []
    const subscribed: unknown[] = []
    client.bind('hotsock.subscribed', ({ channel }) => subscribed.push(channel))
    const room = client.channels('my-channel')
    room.bind('chat', ({ data, meta }) => heard.push([meta.uid, data]))
    const own = client.channels('user.ann')
    own.subscribeTokenFn = ({ channel, connectionId }) => post('/subscribe-token', { channel, connectionId })
    own.bind('news', () => {})
    await until(() => subscribed.length === 2)
    room.sendMessage('chat', { data: 'Hello' })
    await until(() => heard.length === 1)
    expect(heard).to.deep.equal([['ann', 'Hello']])
    expect(subscribed).to.have.members(['my-channel', 'user.ann'])
  })
})
