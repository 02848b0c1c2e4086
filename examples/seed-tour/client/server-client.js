// README of token-sockjs-client: Server Client, which is the client in Node: `host` is required, and may go with a `port`.

import { TokenSocket } from '@token-socket/client'

/** Connects by host and port, and is refused for want of a session. */
export async function connectByPort({ address }) {
  const { hostname, port } = new URL(address)
  const socket = new TokenSocket({ host: hostname, port: Number(port) })
  await socket.ready().catch((error) => console.log('Without a session:', error.code, error.data))
  await socket.end()
}
