/** A server, and clients, in a process whose test tool has replaced the timers after the modules were loaded. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenSocket } from '@token-socket/client'
import { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import sinon from 'sinon'
import { rejection } from '../protocol/rejection.js'

type Faked = NonNullable<
  Exclude<Parameters<typeof sinon.useFakeTimers>[0], number | Date | undefined>['toFake']
>[number]

const TIMERS: readonly Faked[] = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date']
const IMMEDIATES: readonly Faked[] = ['setImmediate', 'clearImmediate']

const SETS: Readonly<Record<string, readonly Faked[]>> = {
  'Vitest’s default set': [...TIMERS, ...IMMEDIATES, 'performance'],
  'setImmediate alone': IMMEDIATES,
}

for (const [name, toFake] of Object.entries(SETS)) {
  for (const when of ['before', 'after'] as const) {
    describe(`faked timers: ${name}, ${when} the server was made`, () => {
      let server: Server
      let sockets: TokenSocketServer
      const clients: TokenSocket[] = []

      let clock: sinon.SinonFakeTimers
      const fake = () => {
        clock = sinon.useFakeTimers({ toFake: [...toFake], now: Date.now(), shouldClearNativeTimers: true })
      }

      before(async () => {
        if (when === 'before') fake()
        const app = express()
        server = createServer(app)
        sockets = new TokenSocketServer({
          ...{ app, server, logger: { debug() {}, info() {}, warn() {}, error() {} } },
          authentication: () => ({ uid: 'ann' }),
          socketController: { echo: (_auth, data) => data, never: () => new Promise(() => {}) },
        })
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
        if (when === 'after') fake()
      })

      after(async () => {
        await Promise.all(clients.map((client) => client.end()))
        sinon.restore()
        await sockets.shutdown()
        server.close()
      })

      const connect = () => {
        const { port } = server.address() as AddressInfo
        const client = new TokenSocket({ host: `http://127.0.0.1:${port}` })
        clients.push(client)
        return client
      }

      it('connects, calls, publishes, sees who is there, and ends', async () => {
        const [one, other] = [connect(), connect()]
        await Promise.all([one.ready(), other.ready()])
        expect(await Promise.all([one.rpc('echo', 1), one.rpc('echo', 2)])).to.deep.equal([1, 2])
        const received = new Promise((resolve) => other.channel('news').bind('news', resolve))
        await other.subscribe('news')
        await one.publish('news', 'hello', { event: 'news' })
        await received
        await sockets.publish('news', 'of the server')
        await one.end()
      })

      if (toFake.includes('setTimeout'))
        it('has time-outs that wait until the clock is advanced', async () => {
          const client = connect()
          await client.ready()
          const failure = rejection(client.rpc('never', null, { timeout: 5000 }))
          await client.rpc('echo', 1)
          clock.tick(5000)
          expect(await failure).to.have.property('code', 'timeout')
        })
    })
  }
}
