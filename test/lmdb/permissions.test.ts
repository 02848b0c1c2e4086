import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lmdbEngine } from '@token-socket/lmdb'
import { describePermissions, PRUNED } from '../end-to-end/permissions.js'

const folders: string[] = []

after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

describePermissions(
  'lmdb',
  async () => {
    const path = await mkdtemp(join(tmpdir(), 'token-socket-permissions-'))
    folders.push(path)
    return lmdbEngine({ path })
  },
  PRUNED,
)
