/** Pages of applications and extensions: which entry of `origins` lets them in. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { type Site, useSites } from './fixture.js'

/** What the browsers of such pages send as `Origin`, and the entry that lets it in. */
const ORIGINS: readonly (readonly [sent: string, entry?: string])[] = [
  ['capacitor://localhost'],
  ['ionic://localhost'],
  ['tauri://localhost'],
  ['http://tauri.localhost'],
  ['https://localhost'],
  ['app://bundle'],
  ['chrome-extension://abcdefghijklmnopabcdefghijklmnop'],
  ['moz-extension://5b5ea5a4-6d23-4e4a-9b5b-0d7a9a4a2c55'],
  ['vscode-webview://1h2b3c'],
  ['null'],
  ['file://', 'null'],
]

/** The status of an upgrade: 101 if it is let in. */
async function upgrade(site: Site, Origin: string): Promise<number> {
  const socket = new WebSocket(`ws://${site.host}/sockets/websocket`, { headers: { Origin } })
  const opened = once(socket, 'open').then(() => 101)
  const refused = once(socket, 'unexpected-response').then(([, { statusCode }]) => Number(statusCode))
  socket.on('error', () => {})
  opened.catch(() => {})
  refused.catch(() => {})
  const status = await Promise.race([opened, refused])
  socket.terminate()
  return status
}

describe('the option origins, for pages of applications', () => {
  const start = useSites()

  for (const [sent, entry = sent] of ORIGINS) {
    it(`lets ${sent} in by the entry ${entry}, on the token route and as a WebSocket`, async () => {
      const site = await start({ origins: [entry] })
      const { status, headers } = await site.askToken({ headers: { Origin: sent } })
      expect([status, headers.get('access-control-allow-origin')]).to.deep.equal([200, sent])
      expect(headers.get('access-control-allow-credentials')).to.equal('true')
      expect(await upgrade(site, sent)).to.equal(101)
    })

    it(`lets ${sent} in by no other entry`, async () => {
      const others = ORIGINS.map(([, other], index) => other ?? ORIGINS[index]?.[0] ?? '')
      const site = await start({ origins: [...new Set(others.filter((other) => other !== entry))] })
      const { status } = await site.askToken({ headers: { Origin: sent } })
      expect([status, await upgrade(site, sent)]).to.deep.equal([403, 403])
    })
  }

  it('lets every installation of an extension in by a function', async () => {
    const site = await start({ origins: (origin) => origin.startsWith('moz-extension://') })
    for (const [Origin, status] of [
      ['moz-extension://5b5ea5a4-6d23-4e4a-9b5b-0d7a9a4a2c55', 101],
      ['moz-extension://0c9ba0f0-5d0f-4d8e-8f3a-1b2c3d4e5f60', 101],
      ['https://moz-extension', 403],
    ] as const)
      expect(await upgrade(site, Origin), Origin).to.equal(status)
  })

  it('has the entries that docs/PAGES.md names, and no other', () => {
    const text = readFileSync(new URL('../../docs/PAGES.md', import.meta.url), 'utf8')
    const [, table = ''] = text.split('| entry of `origins` |')
    const named = [...(table.split('\n\n')[0] ?? '').matchAll(/\| `'([^']+)'/g)].map(([, entry]) => entry)
    const entries = new Set(ORIGINS.map(([sent, entry = sent]) => entry))
    const byFunction = [...entries].filter((entry) => /^(moz-extension|vscode-webview):/.test(entry))
    expect(named).to.have.members([...entries].filter((entry) => !byFunction.includes(entry)))
    for (const entry of byFunction) expect(table).to.include(entry.split('//')[0])
  })
})
