import { abortReason, onAbort } from '@token-socket/protocol'
import type { TokenRequest, TokenResponse } from './token-request.js'

/**
 * Requests a URL with the cookies of its host: by `fetch`, or by `XMLHttpRequest` where `fetch` is
 * missing, as in Jest's jsdom.
 * @throws Error those of `fetch`, or the signal's reason
 */
export async function pageFetch(url: string, request: TokenRequest): Promise<TokenResponse> {
  return typeof fetch === 'function'
    ? fetch(url, { ...request, credentials: 'include' })
    : fetchByXhr(url, request)
}

function fetchByXhr(url: string, { method, headers, signal }: TokenRequest): Promise<TokenResponse> {
  const request = new XMLHttpRequest()
  request.open(method, url)
  request.withCredentials = true
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
  return new Promise<TokenResponse>((resolve, reject) => {
    request.onload = () => resolve(answerOf(request, url))
    request.onerror = () => reject(new TypeError('Failed to fetch'))
    onAbort(signal, () => {
      reject(abortReason(signal))
      request.abort()
    })
    if (!signal.aborted) request.send()
  })
}

function answerOf(request: XMLHttpRequest, asked: string): TokenResponse {
  const { status, responseText, responseURL: url = asked } = request
  const headers = { get: (name: string) => request.getResponseHeader(name) }
  const ok = status >= 200 && status < 300
  return { ok, status, url, redirected: url !== asked, headers, text: async () => responseText }
}
