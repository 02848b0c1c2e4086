import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startTokenSocket } from './token-socket.js'

/** This library as another checkout has it, with its default engine. @param {import('./peer.js').PeerOptions} options */
export async function start({ server }) {
  const entry = join(process.env.TOKEN_SOCKET_BEFORE ?? '', 'packages', 'server', 'dist', 'esm', 'index.js')
  const { TokenSocketServer } = await import(pathToFileURL(entry).href)
  return startTokenSocket({ server }, TokenSocketServer)
}
