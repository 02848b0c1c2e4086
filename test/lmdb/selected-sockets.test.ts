import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lmdbEngine } from '@token-socket/lmdb'
import { useSites } from '../end-to-end/fixture.js'
import { describeSelectedSockets } from '../end-to-end/selected-sockets.js'

describe('selected sockets, on lmdb', () => {
  const folders: string[] = []
  const start = useSites()

  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

  describeSelectedSockets(async (options) => {
    const path = await mkdtemp(join(tmpdir(), 'token-socket-selected-'))
    folders.push(path)
    const site = await start({ engine: lmdbEngine({ path }), ...options })
    return [site, site]
  })
})
