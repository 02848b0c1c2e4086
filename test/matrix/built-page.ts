/** A page that a bundler has built, in Chromium: with a WebSocket, and where the server refuses one. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import express from 'express'
import type { Page } from 'playwright-core'
import { openBrowser } from '../browser/chromium.js'
import { Site, type SiteOptions } from '../bundlers/site.js'
import type { Application } from './application.js'
import type { Ended } from './programs.js'
import type { Outcome } from './row.js'

/** How a page is built. */
export interface Build {
  /** The package whose version is the row's. */
  readonly version: string
  /** Writes it into the folder `site`. */
  readonly build: (application: Application) => Promise<Ended>
  /** Where SockJS is. @default `apart`, in a file of its own that a page with a WebSocket does not load */
  readonly sockjs?: 'apart' | 'inside'
}

const HTML = `<!doctype html>
<title>A page</title>
<link rel="icon" href="data:,">
<script SCRIPT></script>
`

/** What would mean that a part of Node's, or a polyfill for one, is in the page. */
const NODE_PARTS = /\bprocess\.(?:nextTick|version)|\bBuffer\.|["']node:|node_modules\/ws\//

/** Builds a page and opens it. @throws where it is not built without a word, or does not do what it is to do */
export async function buildPage(application: Application, build: Build): Promise<Outcome> {
  await copyFixture(application)
  await application.write('index.html', HTML.replace('SCRIPT', 'type="module" src="./page.js"'))
  const { code, stderr } = await build.build(application)
  if (code !== 0) throw new Error(`it was not built: ${stderr.slice(0, 2000)}`)
  if (/warn/i.test(stderr)) throw new Error(`it was built with a warning: ${stderr.slice(0, 2000)}`)
  if (!existsSync(application.path('site/index.html'))) {
    const type = build.sockjs === 'inside' ? '' : 'type="module" '
    await application.write('site/index.html', HTML.replace('SCRIPT', `${type}src="./page.js"`))
  }
  await checkPage(application, build)
  return { version: await application.version(build.version) }
}

/** A build that fails. @returns the line of its output that says why @throws unless it says so, and fails */
export async function refusedBuild(
  application: Application,
  { build, version, message }: Build & { readonly message: RegExp },
): Promise<Outcome> {
  await copyFixture(application)
  const { code, stdout, stderr } = await build(application)
  const found = message.exec(stderr) ?? message.exec(stdout)
  if (!found) throw new Error(`it did not say ${message}, and ended with ${code}: ${stderr}${stdout}`)
  return { version: await application.version(version), message: found[0] }
}

/** A page that is built and does not run. @returns what the browser says @throws unless it says so */
export async function refusedPage(
  application: Application,
  { build, version, message }: Build & { readonly message: RegExp },
): Promise<Outcome> {
  await copyFixture(application)
  const { code, stderr } = await build(application)
  if (code !== 0) throw new Error(`it was not built: ${stderr.slice(0, 2000)}`)
  await application.write('site/index.html', HTML.replace('SCRIPT', 'type="module" src="./page.js"'))
  const { browser, close } = await openBrowser()
  try {
    const page = await browser.newPage()
    const { result } = await openIn(page, application.path('site'), {})
    const said = result.flat().join('\n')
    const found = message.exec(said)
    if (!found) throw new Error(`it did not say ${message}: ${said}`)
    return { version: await application.version(version), message: found[0] }
  } finally {
    await close()
  }
}

async function copyFixture(application: Application): Promise<void> {
  await application.copy('bundlers')
  await mkdir(application.path('site'))
}

async function checkPage(application: Application, { sockjs = 'apart' }: Build): Promise<void> {
  const { browser, close } = await openBrowser()
  try {
    const files = await scriptsOf(application)
    const holders = files.filter(({ text }) => text.includes('/xhr_streaming')).map(({ name }) => name)
    if (holders.length !== 1) throw new Error(`SockJS is in ${holders.length} files`)
    for (const { name, text } of files) {
      const part = holders.includes(name) ? undefined : NODE_PARTS.exec(text)?.[0]
      if (part) throw new Error(`${name} has ${part} in it`)
    }
    for (const [webSocket, transport] of [
      [true, 'websocket'],
      [false, 'xhr-streaming'],
    ] as const) {
      const page = await browser.newPage()
      const { result, requested } = await openIn(page, application.path('site'), { webSocket })
      const wanted = [[{ transport, answer: { doubled: 42 } }, { doubled: 8 }, 7], []]
      if (JSON.stringify(result) !== JSON.stringify(wanted)) {
        throw new Error(`${transport}: the page came to ${JSON.stringify(result)}`)
      }
      const isLoaded = requested.some((path) => path.endsWith(String(holders[0])))
      if (isLoaded !== (sockjs === 'inside' || !webSocket)) {
        throw new Error(`${transport}: ${holders[0]} was ${isLoaded ? '' : 'not '}loaded`)
      }
      await page.close()
    }
  } finally {
    await close()
  }
}

async function scriptsOf(application: Application) {
  const names = (await readdir(application.path('site'), { recursive: true })).filter((name) =>
    name.endsWith('.js'),
  )
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(application.path('site', name), 'utf8') })),
  )
}

/** What the page came to, what went wrong in it, and which paths it loaded. */
async function openIn(page: Page, folder: string, options: SiteOptions) {
  const site = new Site('own', options)
  site.app.use(express.static(folder, { dotfiles: 'allow' }))
  const faults: string[] = []
  const requested: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('request', (request) => requested.push(new URL(request.url()).pathname))
  try {
    await page.goto(`http://${await site.open()}/`)
    const outcome = page.evaluate(() => (window as unknown as { outcome: Promise<unknown> }).outcome)
    return { result: [await outcome.catch(String), faults], requested }
  } finally {
    await site.close()
  }
}

/** Runs a program that was built for Node. @throws unless it connects, calls and ends */
async function runBuilt(application: Application, file: string): Promise<void> {
  const site = new Site()
  try {
    const host = await site.open()
    const { stdout, stderr, code } = await application.run('node', [file, host], { timeout: 30_000 })
    if (code !== 0 || stdout !== '{"doubled":42}\n') throw new Error(`exit code ${code}: ${stdout}${stderr}`)
  } finally {
    await site.close()
  }
}

/** Builds `program.js` for Node into the folder `site`, and runs the one script that is there. */
export async function buildProgram(application: Application, { build, version }: Build): Promise<Outcome> {
  await copyFixture(application)
  const { code, stdout, stderr } = await build(application)
  if (code !== 0) throw new Error(`it was not built: ${stderr}${stdout}`)
  const file = (await readdir(application.path('site'))).find((name) => name.startsWith('program.'))
  await runBuilt(application, `site/${file}`)
  return { version: await application.version(version) }
}
