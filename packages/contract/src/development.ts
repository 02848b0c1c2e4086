declare const process: { readonly env: { readonly NODE_ENV?: string | undefined } }

/**
 * Whether this is a development build: `NODE_ENV` is not `production`. Bundlers put the text in
 * place of `process.env.NODE_ENV`. A page that loads the modules as they are has no `process`, and
 * is no development build.
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
