import { startTimer } from '@token-socket/protocol'

/** The script of a page that this file is a part of; known only while it runs for the first time. */
const own = globalThis.document?.currentScript as HTMLScriptElement | null | undefined

/** Beside that script. */
const FALLBACK = 'token-socket.fallback.min.js'

/** The hash of that script, put in by the build. */
declare const FALLBACK_INTEGRITY: string

/** Milliseconds that the fallback script may take to load. */
const LOAD_TIMEOUT = 10_000

/** What is being loaded: one script, however many sockets need it. */
let loading: Promise<void> | undefined

/**
 * SockJS as another script tag left it, `window.SockJS`, or else from the fallback script beside this one, which is loaded
 * now so that a page that never needs it never pays for it. For pages without modules.
 * @returns SockJS's constructor; rejects if there is none: the next call tries again
 */
export async function loadSockJS(): Promise<unknown> {
  if (found() === undefined) {
    loading ??= loadScript().finally(() => {
      loading = undefined
    })
    await loading
  }
  const SockJS = found()
  if (SockJS === undefined) throw new Error(`${FALLBACK} left no SockJS`)
  return SockJS
}

function found(): unknown {
  return (globalThis as { SockJS?: unknown }).SockJS
}

function loadScript(): Promise<void> {
  if (!own?.src) return Promise.reject(new Error('This page has no SockJS: add its script to it'))
  const script = document.createElement('script')
  script.src = new URL(FALLBACK, own.src).href
  // What the page's policy asks of scripts, this one has to have, too.
  if (own.nonce) script.nonce = own.nonce
  if (own.integrity) script.integrity = FALLBACK_INTEGRITY
  if (own.crossOrigin !== null) script.crossOrigin = own.crossOrigin
  return new Promise<void>((resolve, reject) => {
    const stopTimer = startTimer(LOAD_TIMEOUT, () => reject(new Error(`${script.src} did not load in time`)))
    script.onload = () => resolve()
    script.onerror = () => reject(new Error(`${script.src} could not be loaded`))
    document.head.append(script)
    script.addEventListener('load', stopTimer)
    script.addEventListener('error', stopTimer)
  }).finally(() => script.remove())
}
