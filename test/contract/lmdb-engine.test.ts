import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbEngine } from '@token-socket/lmdb'
import { engineContract } from './engine.js'

const folders: string[] = []

after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

engineContract(
  'lmdb',
  (count, limits) =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const path = await mkdtemp(join(tmpdir(), 'token-socket-lmdb-'))
        folders.push(path)
        return new LmdbEngine({ path, ...limits })
      }),
    ),
  {
    oneNode: 'it is a file of one process',
    // Real time: the database has threads of its own.
    clock: () => ({ pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)), restore: () => {} }),
  },
)
