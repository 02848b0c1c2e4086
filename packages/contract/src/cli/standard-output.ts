/**
 * Writes to the standard output. Resolves when the text is taken; a reader that has gone away does
 * not need it.
 */
export type Write = (text: string) => Promise<void>

/**
 * Keeps the standard output for the result: what anything else writes to it, such as a file that is
 * loaded, goes to the standard error from now on.
 *
 * @returns what writes the result
 */
export function reserveStandardOutput({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>): Write {
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  return (text) =>
    new Promise((resolve) => {
      stdout.once('error', () => resolve())
      write(text, () => resolve())
    })
}
