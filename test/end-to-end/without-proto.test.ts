/** A server in a runtime without `Object.prototype.__proto__`, as in Deno, or with one that throws. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import SockJS from 'sockjs-client'

const SERVER = `
import { createServer } from 'node:http'
import express from 'express'
import { TokenSocketServer } from '@token-socket/server'
const app = express()
const server = createServer(app)
const transports = ['websocket', 'xhr-streaming', 'xhr-polling', 'eventsource', 'jsonp-polling', 'htmlfile', 'iframe']
const socketController = { echo: (_auth, data) => data, hasProto: () => '__proto__' in {} }
const logger = { debug() {}, info() {}, warn() {}, error(details) { console.error(details) } }
new TokenSocketServer({ app, server, logger, transports, socketController, authentication: () => true })
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

/** Runs a server until the tests kill it. */
async function startServer(flag: string): Promise<{ readonly child: ChildProcess; readonly host: string }> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const args = [
    flag,
    '--conditions=@token-socket/source',
    '--import=tsx',
    '--input-type=module',
    '--eval',
    SERVER,
  ]
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const [port] = await once(lines, 'line')
  return { child, host: `127.0.0.1:${port}` }
}

const WAYS: Readonly<Record<string, TokenSocketOptions>> = {
  websocket: { transports: ['websocket'] },
  ...Object.fromEntries(
    ['websocket', 'xhr-streaming', 'xhr-polling', 'eventsource'].map((name) => [
      `SockJS’s ${name}`,
      { transports: ['sockjs'], sockjs: { transports: [name] } },
    ]),
  ),
}

for (const flag of ['--disable-proto=delete', '--disable-proto=throw']) {
  describe(`a server with ${flag}`, () => {
    let child: ChildProcess
    let host: string

    before(async () => {
      Object.assign(globalThis, { SockJS })
      ;({ child, host } = await startServer(flag))
    })

    after(async () => {
      Reflect.deleteProperty(globalThis, 'SockJS')
      const exited = once(child, 'exit')
      child.kill()
      await exited
    })

    for (const [name, options] of Object.entries(WAYS)) {
      it(`serves clients by ${name}`, async () => {
        const client = new TokenSocket({ host, ...options })
        try {
          await client.ready()
          const data = { texts: ['__proto__', 'ä', ''], nested: [[1], null] }
          expect(await client.rpc('echo', data)).to.deep.equal(data)
          await client.subscribe('news')
          const message = once(client as never, 'message')
          await client.publish('news', 'hello')
          expect((await message).slice(0, 2)).to.deep.equal(['news', 'hello'])
        } finally {
          await client.end()
        }
      })
    }

    it('really lacks it', async () => {
      const client = new TokenSocket({ host, transports: ['websocket'] })
      expect(await client.rpc('hasProto')).to.equal(flag.endsWith('throw'))
      await client.end()
    })

    for (const [opener, sender, body] of [
      ['jsonp?c=f', 'jsonp_send', 'd='],
      ['jsonp?c=f', 'jsonp_send', ''],
      ['htmlfile?c=f', 'xhr_send', ''],
    ] as const) {
      it(`takes messages by ${opener.split('?')[0]} and ${sender}, ${body ? 'a form' : 'plain text'}`, async () => {
        const session = `http://${host}/sockets/000/${crypto.randomUUID()}`
        const opening = await fetch(`${session}/${opener}`)
        const reader = opening.body?.getReader()
        await reader?.read()
        const { token } = (await (await fetch(`http://${host}/socket/token`, { method: 'POST' })).json()) as {
          token: string
        }
        const messages = JSON.stringify([JSON.stringify({ rpc: 'auth', token, uuid: '1' })])
        const sent = await fetch(`${session}/${sender}`, {
          method: 'POST',
          body: body === '' ? messages : `${body}${encodeURIComponent(messages)}`,
          headers: { 'Content-Type': body === '' ? 'text/plain' : 'application/x-www-form-urlencoded' },
        })
        expect(sent.status).to.equal(sender === 'xhr_send' ? 204 : 200)
        await reader?.cancel()
        if (sender === 'xhr_send') return
        expect(await (await fetch(`${session}/${opener}`)).text()).to.include('success')
      })
    }
  })
}
