import { abortReason, onAbort } from '@token-socket/protocol'
import { withQuery } from './form-encode.js'

type Receivers = Record<string, ((body: unknown) => void) | undefined>

let lastId = 0

/**
 * Requests a token by JSONP: a script tag, for servers on another origin without CORS. A script's
 * HTTP status is not visible, so that all failures look the same. The tag is removed when the
 * promise settles.
 *
 * @returns the answer's body, unchecked
 * @throws Error that it failed, or the signal's reason
 */
export function requestByJsonp(url: string, query: string, signal: AbortSignal): Promise<unknown> {
  const receivers = globalThis as unknown as Receivers
  const name = `token_callback_${Date.now()}_${++lastId}`
  const script = document.createElement('script')
  return new Promise<unknown>((resolve, reject) => {
    receivers[name] = resolve
    // When the script has loaded, it has run, and has called the function if it was a valid answer.
    script.onload = script.onerror = () => reject(new Error('the request by JSONP failed'))
    onAbort(signal, () => reject(abortReason(signal)))
    script.src = withQuery(withQuery(url, `callback=${name}`), query)
    document.head.append(script)
  }).finally(() => {
    script.remove()
    const forget = () => delete receivers[name]
    if (!signal.aborted) return void forget()
    // The script may still arrive, and would fail without the function.
    receivers[name] = () => {}
    script.onload = script.onerror = forget
  })
}
