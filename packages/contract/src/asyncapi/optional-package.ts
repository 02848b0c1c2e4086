/** A package that is needed for what was asked, and is not installed. The message says how to install it. */
export class MissingPackageError extends Error {
  override readonly name = 'MissingPackageError'
  /** The name of the package. */
  readonly package: string

  constructor(name: string, cause?: unknown) {
    super(`The package ${name} is missing. Install it: npm install -D ${name}`, { cause })
    this.package = name
  }
}

/**
 * Loads a package that is an optional peer dependency.
 * @param load imports it
 * @throws MissingPackageError where it is not installed
 */
export async function loadPackage<T>(name: string, load: () => Promise<unknown>): Promise<T> {
  try {
    const loaded = (await load()) as { readonly default?: unknown }
    // CommonJS packages have their exports in `default` where Node finds no names in them.
    return { ...(loaded.default as object | undefined), ...loaded } as T
  } catch (error) {
    if (isMissing(error, name)) throw new MissingPackageError(name, error)
    throw error
  }
}

function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const isNotFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND'
  return isNotFound && error.message.includes(`'${name}'`)
}
