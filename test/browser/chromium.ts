/** Starts Chromium for the browser tests. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Browser, chromium, type LaunchOptions } from 'playwright-core'

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A running Chromium. */
export interface OpenBrowser {
  /** Each context of it is a person of its own, with cookies of its own. */
  readonly browser: Browser
  /** Ends it. Harmless when it is closed already. */
  close(): Promise<void>
}

/** The Chromium in `CHROMIUM`, or Debian's, and how it is started. */
export const CHROMIUM = { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS }

/** Starts Chromium, with a fresh profile that goes when it is closed. @param options of Playwright's, besides */
export async function openBrowser(options: LaunchOptions = {}): Promise<OpenBrowser> {
  const browser = await chromium.launch({ ...CHROMIUM, ...options })
  return { browser, close: () => browser.close() }
}

/** Starts Chromium as people have it: tabs in one window, of which one is seen. Playwright finds it running. */
export async function openPlainBrowser(): Promise<OpenBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'token-socket-chromium-'))
  const args = [...ARGS, '--remote-debugging-port=0', `--user-data-dir=${profile}`]
  const program = spawn(CHROMIUM.executablePath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const exit = once(program, 'exit')
  const browser = await chromium.connectOverCDP(await addressOf(program.stderr), { noDefaults: true })
  const close = async () => {
    await browser.close()
    program.kill()
    await exit
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  return { browser, close }
}

/** Where a Chromium says that it can be driven from. */
async function addressOf(output: Readable): Promise<string> {
  let text = ''
  for await (const piece of output) {
    text += piece
    const [, address] = /DevTools listening on (\S+)\n/.exec(text) ?? []
    if (address !== undefined) return address
  }
  throw new Error(`Chromium did not start: ${text}`)
}
