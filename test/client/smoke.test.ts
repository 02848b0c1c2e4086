import { TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { ScriptedServer } from './scripted-server.js'

it('smoke', async () => {
  const server = await ScriptedServer.start()
  const socket = new TokenSocket({ host: server.host }, { ping: (data, cb) => cb(null, data) })
  socket.on('state', (...a) => console.log(...a))
  const sub = socket.subscribe('a')
  await socket.ready()
  expect(await socket.rpc('echo', { a: 1 })).to.deep.equal({ a: 1 })
  await sub
  await socket.publish('a', 1)
  console.log(server.peer.frames, socket.transport)
  server.cut()
  console.log(await socket.rpc('echo', 2))
  console.log(server.peer.frames, socket.channels())
  await socket.end()
  await server.stop()
})
