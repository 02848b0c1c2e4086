/** A page of Angular's kind: zone.js first, then the client's script, in Chromium. */
import { readFile } from 'node:fs/promises'
import { openBrowser } from '../browser/chromium.js'
import type { Application } from './application.js'
import { serverOf } from './client-server.js'

const HTML = `<!doctype html><title>zone.js</title>
<script src="/zone.js"></script><script src="/sockets/token-socket.min.js"></script>`

/** Runs the client in a zone of a page. @throws unless all of it works, and the zone is kept */
export async function runZonePage(application: Application): Promise<void> {
  const zone = application.path('node_modules/zone.js/bundles/zone.umd.js')
  const fixture = await readFile(application.path('use.cjs'), 'utf8')
  await application.copy('zone/page.js', 'page.js')
  const host = await serverOf(application, {
    prepare: (app) => {
      app.get('/zone.js', async (_request, response) => {
        response.type('js').send(await readFile(zone, 'utf8'))
      })
      app.get('/', (_request, response) => void response.send(HTML))
    },
  })
  const { browser, close } = await openBrowser()
  try {
    const page = await browser.newPage()
    await page.goto(`${host}/`)
    await page.addScriptTag({
      content: `globalThis.used = (() => { const module = {}; ${fixture}; return module.exports })()`,
    })
    await page.addScriptTag({ path: application.path('page.js') })
    const failure = await page.evaluate(`inZone(${JSON.stringify(host)})`)
    if (failure !== '') throw new Error(String(failure))
  } finally {
    await close()
  }
}
