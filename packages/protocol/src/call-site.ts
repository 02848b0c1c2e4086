/**
 * The place in the application where a call was made: its stack, which becomes a text only when it
 * is read.
 */
export interface CallSite {
  readonly stack?: string
}

interface Platform {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> }
  readonly Error: { captureStackTrace?(target: object, above: unknown): void }
}

const platform = globalThis as unknown as Platform

/** Capturing a stack takes a few microseconds, which is much of a call. */
const isProduction = platform.process?.env?.NODE_ENV === 'production'

/**
 * Captures the stack of the application. `undefined` in Node with `NODE_ENV=production`, and on
 * platforms without `captureStackTrace`.
 */
export function callSite(): CallSite | undefined {
  if (isProduction || !platform.Error.captureStackTrace) return undefined
  const site = {}
  platform.Error.captureStackTrace(site, callSite)
  return site
}

/**
 * Gives an error the stack of the call that failed, instead of that of the message with the answer.
 */
export function showCallSite(error: Error, site: CallSite | undefined): void {
  const [, ...frames] = site?.stack?.split('\n') ?? []
  if (frames.length > 0) error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n')
}
