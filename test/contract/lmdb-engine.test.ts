import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineContract } from '@token-socket/engine-tests'
import { LmdbEngine, lmdbEngine } from '@token-socket/lmdb'
import { expect } from 'chai'
import { thrownBy } from '../protocol/rejection.js'

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

describe('lmdbEngine', () => {
  const path = join(tmpdir(), 'token-socket-lmdb-that-is-not-made')
  const wrong = [
    ['options', undefined],
    ['options', 'a folder'],
    ['path', {}],
    ['path', { path: '' }],
    ['path', { path: 5 }],
    ['tickets', { path, tickets: 0 }],
    ['tickets', { path, tickets: '5' }],
    ['channels', { path, channels: 0 }],
    ['channelBytes', { path, channelBytes: '5' }],
    ['historyBytes', { path, historyBytes: Number.NaN }],
  ] as const
  for (const [field, options] of wrong) {
    it(`refuses ${JSON.stringify(options)} and names ${field}`, () => {
      expect(thrownBy(() => lmdbEngine(options as never))).to.deep.include({
        code: 'bad_option',
        data: { field },
      })
    })
  }

  it('says that a folder cannot be used', async () => {
    const file = `${path}-a-file`
    await writeFile(file, 'not a folder')
    expect(thrownBy(() => lmdbEngine({ path: file }))).to.be.instanceOf(Error)
    expect(await readFile(file, 'utf8')).to.equal('not a folder')
    await rm(file)
  })
})
