/** Starts Chromium for the browser tests. */

import { type Browser, chromium } from 'playwright-core'

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

/** Starts the Chromium in `CHROMIUM`, or Debian's, with a fresh profile that goes when it is closed. */
export async function openBrowser(): Promise<OpenBrowser> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ARGS })
  return { browser, close: () => browser.close() }
}
