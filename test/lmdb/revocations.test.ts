import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lmdbEngine } from '@token-socket/lmdb'
import { CLOSE_CODES } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { Site } from '../end-to-end/fixture.js'

const SECRET = 'of the tests, 32 bytes long or more'

describe('revocations in lmdb', () => {
  let path: string
  let site: Site

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'token-socket-revocations-'))
  })

  afterEach(async () => {
    await site.stop()
    await rm(path, { recursive: true, force: true })
  })

  const start = async () => {
    site = await Site.start({ engine: lmdbEngine({ path }), secret: SECRET })
  }

  async function enter(uid: string, iat: number): Promise<unknown> {
    const token = jwt.sign({ scope: 'connect', uid, iat, exp: iat + 60 }, SECRET)
    const peer = await site.peer()
    peer.send({ rpc: 'auth', token, uuid: 'auth', version: 1 })
    return Promise.race([
      peer.find(({ resp }) => resp === 'success').then(() => 'in'),
      peer.closed.then(({ code }) => code),
    ])
  }

  it('last over a restart', async () => {
    await start()
    const now = Math.floor(Date.now() / 1000)
    for (const uid of ['ann', 'bob']) await site.sockets.cluster.revoke({ uid })
    await site.stop()
    await start()
    for (const uid of ['ann', 'bob'])
      expect(await enter(uid, now - 5)).to.equal(CLOSE_CODES.invalid_token.code)
    expect(await enter('bob', Math.floor(Date.now() / 1000) + 1)).to.equal('in')
    expect(await enter('eve', now - 5)).to.equal('in')
    await site.sockets.cluster.revoke({ uid: 'eve' })
    expect(await enter('eve', now - 5)).to.equal(CLOSE_CODES.invalid_token.code)
  })
})
