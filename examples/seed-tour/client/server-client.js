// README of token-sockjs-client: Server Client, which is the client in Node: `host` is required, and may go with a `port`.

import { TokenSocket } from '@token-socket/client'
import { signIn } from './initialization.js'

/** Connects by host and port. */
export async function connectByPort({ address }) {
  const { hostname, port } = new URL(address)
  const headers = { Cookie: await signIn(address, 'grace') }
  const socket = new TokenSocket({ host: hostname, port: Number(port), headers })
  console.log('By host and port:', await socket.rpc('echo', 'hello'))
  await socket.end()
}
