/**
 * Packages that are needed for what was asked, and are not installed. The message says how to
 * install them.
 */
export class MissingPackageError extends Error {
  override readonly name = 'MissingPackageError'
  /** The names of the packages. */
  readonly packages: readonly string[]

  constructor(packages: readonly string[], cause?: unknown) {
    const names = packages.join(' and ')
    const [text, them] =
      packages.length === 1 ? [`The package ${names} is`, 'it'] : [`The packages ${names} are`, 'them']
    super(`${text} missing. Install ${them}: npm install -D ${packages.join(' ')}`, { cause })
    this.packages = packages
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
    if (isMissing(error, name)) throw new MissingPackageError([name], error)
    throw error
  }
}

function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const isNotFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND'
  return isNotFound && error.message.includes(`'${name}'`)
}
