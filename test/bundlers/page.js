import { TokenSocket } from '@token-socket/client'

const transports = new URLSearchParams(location.search).get('transports')?.split(',')
const options = transports ? { transports } : {}
const socket = new TokenSocket(options, { double: (number) => number * 2 })
window.outcome = (async () => {
  await socket.ready()
  return { transport: socket.transport, answer: await socket.rpc('askBack', 21) }
})()
