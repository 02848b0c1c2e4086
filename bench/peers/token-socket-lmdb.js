import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lmdbEngine } from '../../packages/lmdb/dist/esm/index.js'
import { startTokenSocket } from './token-socket.js'
import { KEPT } from './token-socket-history.js'

/** The same on disk: acknowledged when it is committed. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  const path = mkdtempSync(join(tmpdir(), 'token-socket-bench-'))
  process.on('exit', () => rmSync(path, { recursive: true, force: true }))
  return startTokenSocket({
    server,
    engine: lmdbEngine({ path }),
    channels: KEPT,
  })
}
