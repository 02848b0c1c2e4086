declare const process: { readonly env: { readonly NODE_ENV?: string | undefined } }

/**
 * Returns whether this is a development build: `NODE_ENV` is not `production`. Bundlers replace
 * `process.env.NODE_ENV` by its value. A page that loads unbundled modules has no `process`, and is
 * no development build.
 */
export function isDevelopment(): boolean {
  let isKnown = false
  try {
    // Bundlers leave this out of builds for production.
    if (process.env.NODE_ENV !== 'production') isKnown = true
  } catch {
    // There is no `process`.
  }
  return isKnown
}
