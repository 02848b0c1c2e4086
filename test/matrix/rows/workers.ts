import { readFile } from 'node:fs/promises'
import { openBrowser } from '../../browser/chromium.js'
import type { Application } from '../application.js'
import type { Outcome, Row } from '../row.js'

/** What a page runs to hear what its worker has to say, as texts: they run in the page. */
const WAYS = {
  'Web worker': `new Promise((resolve) => {
    const worker = new Worker('/worker.js')
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => resolve(message)
    worker.postMessage('go')
  })`,
  'Shared worker': `new Promise((resolve) => {
    const { port } = new SharedWorker('/worker.js')
    port.onmessage = ({ data }) => resolve(data)
  })`,
  'Service worker': `navigator.serviceWorker.register('/worker.js').then(async () => {
    const { active } = await navigator.serviceWorker.ready
    const { port1, port2 } = new MessageChannel()
    return new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data)
      active.postMessage('go', [port2])
    })
  })`,
}

/** Has a worker live a client's whole life, with the script that the server serves. */
async function inWorker(application: Application, way: string): Promise<Outcome> {
  await application.copy('workers')
  const script = await readFile(application.path('exchange.js'), 'utf8')
  const site = await application.server({
    prepare: (app) => {
      app.get('/', (_request, response) => void response.send('<!doctype html>'))
      app.get('/worker.js', (_request, response) => void response.type('js').send(script))
    },
  })
  const { browser, close } = await openBrowser()
  try {
    const page = await browser.newPage()
    await page.goto(site.url)
    const text = await page.evaluate(way)
    if (text !== 'done') throw new Error(String(text))
    return { version: `Chromium ${browser.version()}` }
  } finally {
    await close()
  }
}

export const rows: readonly Row[] = [
  ...Object.entries(WAYS).map(
    ([name, way]): Row => ({
      group: 'Pages and workers',
      name,
      packages: [],
      programs: ['CHROMIUM'],
      suite: true,
      expected: 'works',
      ...(name === 'Service worker' && {
        note: 'By WebSocket only: SockJS needs `XMLHttpRequest`. The browser ends an idle service worker, and its socket with it.',
      }),
      run: (application) => inWorker(application, way),
    }),
  ),
  {
    group: 'Pages and workers',
    name: 'Chrome extension, Manifest V3',
    packages: [],
    expected: 'works',
    note: 'Give `host`, and name the origin, `chrome-extension://…`, in the server’s `origins`.',
    unavailable: 'it was not tried',
    run: () => Promise.reject(new Error('it never runs')),
  },
  {
    group: 'Runtimes',
    name: 'Cloudflare Workers, the server',
    packages: [],
    expected: 'refused',
    note: 'The server needs an HTTP server of Node that gives it upgrades; run it where Node runs.',
    unavailable: 'it was not tried',
    run: () => Promise.reject(new Error('it never runs')),
  },
]
