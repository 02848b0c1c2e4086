import { decodeData } from '@token-socket/protocol'

/** Limits of a download. */
export interface DownloadBounds {
  /** Bytes of a body. */
  readonly bytes: number
  /** Milliseconds after a failure without a further request. */
  readonly pause: number
}

/** The part of a fetch that is used here. */
type Download = (url: string, options: RequestInit) => Promise<Response>

/**
 * Creates a `fetch` that limits the size of a body, and pauses after a failure. Requests of
 * strangers must not make it ask a failing provider again and again. The caller's signal limits the
 * time, including that of the body.
 */
export function boundedDownload({ bytes, pause }: DownloadBounds): Download {
  let failedAt = Number.NEGATIVE_INFINITY
  let cause: unknown
  return async (url, options) => {
    if (performance.now() - failedAt < pause)
      throw new Error('the key set could not be read just now', { cause })
    try {
      return await download(url, options, bytes)
    } catch (failure) {
      failedAt = performance.now()
      cause = failure
      throw failure
    }
  }
}

async function download(url: string, options: RequestInit, limit: number): Promise<Response> {
  const response = await fetch(url, options)
  const { status } = response
  if (status !== 200) {
    await response.body?.cancel()
    throw new Error(`the key set's address answered ${status}`)
  }
  const body = await readBody(response, limit)
  if (!isKeySet(body)) throw new Error("the key set's address answered with no JSON Web Key Set")
  return new Response(body, { status })
}

/** Checks like the reader of keys, which would otherwise request a refused set again at once. */
function isKeySet(body: Uint8Array): boolean {
  try {
    const { keys } = Object(decodeData(new TextDecoder().decode(body))) as { keys?: unknown }
    return Array.isArray(keys) && keys.every((key) => key?.constructor === Object)
  } catch {
    return false
  }
}

async function readBody(response: Response, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    // Leaving the loop cancels the download.
    if (size > limit) throw new Error(`the key set has more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}
