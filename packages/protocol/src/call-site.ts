/** Where the application made a call: its stack, which is made a text only when it is read. */
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
 * Where the application is right now. `undefined` where Node runs with `NODE_ENV=production`, and on platforms that cannot
 * capture a stack.
 */
export function callSite(): CallSite | undefined {
  if (isProduction || !platform.Error.captureStackTrace) return undefined
  const site = {}
  platform.Error.captureStackTrace(site, callSite)
  return site
}

/** Gives an error the stack of a call that failed with it, in place of that of the message that brought the answer. */
export function showCallSite(error: Error, site: CallSite | undefined): void {
  const [, ...frames] = site?.stack?.split('\n') ?? []
  if (frames.length > 0) error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n')
}
