/** A file that can't be read, loaded or written. The message names it. */
export class FileError extends Error {
  override readonly name = 'FileError'
}
