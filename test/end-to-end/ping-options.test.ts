import { expect } from 'chai'
import { WebSocket } from 'ws'
import { deferred, rejection, until, useSites } from './fixture.js'

describe('options of the server about pings', () => {
  const start = useSites()

  describe('the `ping` option', () => {
    it('answers pings if left out', async () => {
      const site = await start()
      expect(await (await site.ready()).rpc('_ping')).to.deep.equal({ message: 'pong' })
    })

    it('false answers not_found', async () => {
      const site = await start({ ping: false })
      expect((await rejection((await site.ready()).rpc('_ping'))).code).to.equal('not_found')
    })

    it('false leaves `_ping` to the controller', async () => {
      const site = await start({ ping: false, socketController: { _ping: () => 'mine' } })
      expect(await (await site.ready()).rpc('_ping')).to.equal('mine')
    })
  })

  describe('the `pingInterval` and `pingTimeout` options', () => {
    it('cut off a peer that does not answer pings, and no other', async () => {
      const site = await start({ pingInterval: 400, pingTimeout: 400 })
      const alive = await site.member()
      const dead = new WebSocket(`ws://${site.host}/sockets/websocket`, { autoPong: false })
      const token = await site.token()
      dead.on('open', () => dead.send(JSON.stringify({ rpc: 'auth', token, uuid: '1' })))
      const closed = deferred<number>()
      dead.on('close', closed.resolve)
      expect(await closed.promise).to.equal(1006)
      expect(await alive.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
      await until(() => site.sockets.sockets().length === 1)
    })

    it('is how often polls of SockJS are answered with a heartbeat', async () => {
      const site = await start({ pingInterval: 20 })
      const poll = () => fetch(`${site.url}/sockets/000/abc/xhr`, { method: 'POST' })
      expect(await (await poll()).text()).to.equal('o\n')
      expect(await (await poll()).text()).to.equal('h\n')
    })
  })
})
