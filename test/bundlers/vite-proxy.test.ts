import { readFile } from 'node:fs/promises'
import { type RpcError, TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { createServer, type UserConfig, type ViteDevServer } from 'vite'
import { Project } from './project.js'
import { Site } from './site.js'

const PROXIES = new URL('../../docs/PROXIES.md', import.meta.url)
const DOCUMENT = new URL('../../docs/BUNDLERS.md', import.meta.url)

type Proxies = NonNullable<NonNullable<UserConfig['server']>['proxy']>

describe('Vite’s development server before a server of sockets', function () {
  this.timeout(60_000)
  let project: Project
  let site: Site
  let vite: ViteDevServer
  let socket: TokenSocket

  beforeEach(async () => {
    project = await Project.create()
    site = new Site()
    await site.open()
  })

  afterEach(async () => {
    await socket.end()
    await vite.close()
    await site.close()
    await project.remove()
  })

  /** The document's configuration, for the server of the test. */
  async function documented(): Promise<UserConfig> {
    const text = await readFile(DOCUMENT, 'utf8')
    const [, code] = /```js\n\/\/ vite\.config\.js\n([\s\S]*?)```/.exec(text) ?? []
    const module = (code ?? '').replace('http://localhost:3000', `http://${site.host}`)
    return (await import(`data:text/javascript,${encodeURIComponent(module)}`)).default
  }

  /** The proxies below a path, by the cells of a row. */
  async function belowPath(): Promise<readonly Proxies[]> {
    const row = /^\| Vite \| (.+) \| (.+) \|$/m.exec(await readFile(PROXIES, 'utf8')) ?? []
    return row.slice(1).map((cell) => {
      const text = cell.replaceAll('`', '').replace('http://localhost:3000', `http://${site.host}`)
      return new Function(`return { ${text} }`)()
    })
  }

  /** A socket of a page that Vite serves. @returns what carries it */
  async function connect({ server }: UserConfig, path = ''): Promise<string | undefined> {
    const own = { port: 0, host: '127.0.0.1' }
    vite = await createServer({
      root: project.folder,
      configFile: false,
      logLevel: 'silent',
      server: { ...server, ...own },
    })
    await vite.listen()
    const address = vite.httpServer?.address()
    if (typeof address !== 'object' || address === null) throw new Error('Vite does not listen')
    const host = `http://127.0.0.1:${address.port}`
    socket = new TokenSocket({
      host: host + path,
      headers: { Origin: host },
      reconnect: false,
      logLevel: 'none',
    })
    await socket.ready()
    return socket.transport
  }

  it('lets a page connect, set up as the document says', async () => {
    expect(await connect(await documented())).to.equal('websocket')
  })

  it('takes `/app` away, set up as PROXIES.md says', async () => {
    const [away] = await belowPath()
    expect(await connect({ server: { proxy: away ?? {} } }, '/app')).to.equal('websocket')
  })

  it('passes `/app` on, set up as PROXIES.md says', async () => {
    await site.close()
    site = new Site('own', { below: '/app' })
    await site.open()
    const [, on] = await belowPath()
    expect(await connect({ server: { proxy: on ?? {} } }, '/app')).to.equal('websocket')
  })

  for (const [how, proxy] of [
    ['with `changeOrigin`', (target: string) => ({ target, ws: true, changeOrigin: true })],
    ['in the short form, which sets `changeOrigin`', (target: string) => target],
  ] as const) {
    it(`has every request refused with \`origin_refused\` ${how}`, async () => {
      const config = { server: { proxy: { '/socket': proxy(`http://${site.host}`) } } }
      const error = await connect(config).catch((error: RpcError) => error)
      expect(error).to.have.property('code', 'origin_refused')
    })
  }
})
