import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { ClientFiles } from '#server/http/client-files.js'
import { TestServer } from '../http-server.js'

const SCRIPT = 'globalThis.TokenSocket = function TokenSocket() {}\n'.repeat(20)

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

describe('ClientFiles', () => {
  let folder: string
  let files: ClientFiles
  let server: TestServer

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'client-files-'))
    await writeFile(join(folder, 'token-socket.min.js'), SCRIPT)
    files = new ClientFiles((name) => join(folder, name))
    server = await TestServer.start((request, response) => {
      void files.handle(request, response, (request.url ?? '').slice(1))
    })
  })

  afterEach(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })

  function ask(name: string, headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(`${server.origin}/${name}`, { method, headers }, async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) })
      })
      request.on('error', reject)
      request.end()
    })
  }

  describe('#has', () => {
    for (const name of ['token-socket.js', 'token-socket.min.js', 'token-socket.full.min.js']) {
      it(`knows ${name} and its map`, () => {
        expect([files.has(name), files.has(`${name}.map`)]).to.deep.equal([true, true])
      })
    }

    for (const name of ['', 'package.json', '__proto__', '../token-socket.min.js', 'TOKEN-SOCKET.MIN.JS']) {
      it(`does not know ${JSON.stringify(name)}`, () => {
        expect(files.has(name)).to.equal(false)
      })
    }
  })

  describe('#handle', () => {
    it('sends the script, to be asked for again each time', async () => {
      const { status, headers, body } = await ask('token-socket.min.js')
      expect(status).to.equal(200)
      expect(body.toString()).to.equal(SCRIPT)
      expect(headers).to.include({
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=0, must-revalidate',
        'x-content-type-options': 'nosniff',
        vary: 'Accept-Encoding',
      })
    })

    it('compresses it for those who take that', async () => {
      const { headers, body } = await ask('token-socket.min.js', { 'Accept-Encoding': 'br, gzip' })
      expect(headers['content-encoding']).to.equal('gzip')
      expect(body.length).to.be.below(SCRIPT.length)
      expect(gunzipSync(body).toString()).to.equal(SCRIPT)
    })

    it('answers 304 to those who have it', async () => {
      const { headers } = await ask('token-socket.min.js')
      const second = await ask('token-socket.min.js', { 'If-None-Match': `"other", ${headers.etag}` })
      expect([second.status, second.body.length]).to.deep.equal([304, 0])
      expect(second.headers.etag).to.equal(headers.etag)
    })

    it('sends it to those who have another', async () => {
      expect((await ask('token-socket.min.js', { 'If-None-Match': 'W/"other"' })).status).to.equal(200)
    })

    it('answers HEAD without the script', async () => {
      const { status, headers, body } = await ask('token-socket.min.js', {}, 'HEAD')
      expect([status, body.length, headers['content-length']]).to.deep.equal([200, 0, `${SCRIPT.length}`])
    })

    it('answers other methods 405', async () => {
      const { status, headers } = await ask('token-socket.min.js', {}, 'POST')
      expect([status, headers.allow]).to.deep.equal([405, 'GET, HEAD'])
    })

    it('answers 404, which names the package, for a file that is not there, until it is', async () => {
      const { status, body } = await ask('token-socket.full.min.js')
      expect(status).to.equal(404)
      expect(body.toString()).to.contain('@token-socket/client')
      await writeFile(join(folder, 'token-socket.full.min.js'), SCRIPT)
      expect((await ask('token-socket.full.min.js')).status).to.equal(200)
    })
  })
})
