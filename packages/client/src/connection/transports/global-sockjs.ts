import { startTimeout } from '@token-socket/protocol'

/** The script of a page that this file is a part of; known only while it runs for the first time. */
const own = globalThis.document?.currentScript as HTMLScriptElement | null | undefined

/** Beside that script. */
const FALLBACK = 'token-socket.fallback.min.js'

/** The hash of that script, put in by the build. */
declare const FALLBACK_INTEGRITY: string

/** Milliseconds that it may take to load: fewer than a try has by default, so that people are told what is missing. */
const LOAD_TIMEOUT = 8000

/** What people can do where there is no SockJS. */
const REMEDY = `serve ${FALLBACK} beside this script and allow it in script-src, or use token-socket.full.min.js`

/** What is being loaded: one script, however many sockets need it. */
let loading: Promise<void> | undefined

/**
 * SockJS as another script tag left it, `window.SockJS`, or else from the fallback script beside this one, which is loaded
 * now so that a page that never needs it never pays for it. For pages without modules.
 * @returns SockJS's constructor; rejects if there is none, with why and what to do: the next call tries again
 */
export async function loadSockJS(): Promise<unknown> {
  if (found() === undefined) {
    loading ??= loadScript().finally(() => {
      loading = undefined
    })
    await loading.catch(explain)
  }
  return found() ?? explain(new Error(`${FALLBACK} left no SockJS`))
}

/** @throws Error what to do about it, and what it is */
function explain(cause: Error): never {
  throw new Error(`${REMEDY} (${cause.message})`, { cause })
}

function found(): unknown {
  return (globalThis as { SockJS?: unknown }).SockJS
}

async function loadScript(): Promise<void> {
  if (!own?.src) throw new Error('this script has no address')
  const script = document.createElement('script')
  script.src = new URL(FALLBACK, own.src).href
  // What the page's policy asks of scripts, this one has to have, too.
  if (own.nonce) script.nonce = own.nonce
  if (own.integrity) script.integrity = FALLBACK_INTEGRITY
  if (own.crossOrigin !== null) script.crossOrigin = own.crossOrigin
  const loaded = new Promise((resolve, reject) => {
    const fail = (how: string) => reject(new Error(`${script.src} ${how}`))
    startTimeout(LOAD_TIMEOUT, () => fail('did not load in time'))
    script.onload = resolve
    script.onerror = () => fail('did not load')
  })
  document.head.append(script)
  await loaded.finally(() => script.remove())
}
