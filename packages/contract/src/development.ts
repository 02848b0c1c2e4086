declare const process: { readonly env: { readonly NODE_ENV?: string | undefined } }

/**
 * Whether this is a development build: `NODE_ENV` is not `production`. Bundlers put the text in place of `process.env.NODE_ENV`. A page
 * that loads the modules as they are has no `process`, and is no development build.
 */
export function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== 'production'
  } catch {
    return false
  }
}
