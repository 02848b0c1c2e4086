import { badField, errorFrom, type RpcError, type Shape } from '@token-socket/protocol'

/** The error for an argument of a wrong type. @param shape what it has to be */
export function badArgument(field: string, shape: Shape): RpcError {
  return errorFrom(badField(field, shape).error)
}

/** The error for a name that is no text, or an empty one; `undefined` for a good name. */
export function nameError(field: string, name: unknown): RpcError | undefined {
  return typeof name === 'string' && name ? undefined : badArgument(field, 'text')
}

/** A good name. @throws RpcError `bad_message` */
export function checkedName(field: string, name: string): string {
  const error = nameError(field, name)
  if (error) throw error
  return name
}

/** @throws RpcError `bad_message` unless it is a function */
export function checkFunction(field: string, value: unknown): void {
  if (typeof value !== 'function') throw badArgument(field, 'function')
}
