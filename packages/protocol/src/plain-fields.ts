/**
 * The fields of an error that another end receives. What failed in the system says where: the paths, addresses and numbers
 * of it are no business of the peer's.
 */
export function plainFields(error: Error): object {
  const { message } = error
  if (!('syscall' in error)) return { ...error, message }
  return { message, ...('code' in error && { code: error.code }) }
}
