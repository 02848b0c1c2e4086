import { badField, errorFrom, type RpcError, type Shape } from '@token-socket/protocol'

/** Makes the error for an argument of a wrong type. @param shape the right type, in words */
export function badArgument(field: string, shape: Shape): RpcError {
  return errorFrom(badField(field, shape).error)
}

/** Returns the error for a name that is no text, or is empty; `undefined` for a valid name. */
export function nameError(field: string, name: unknown): RpcError | undefined {
  return typeof name === 'string' && name ? undefined : badArgument(field, 'text')
}

/** Returns a valid name. @throws RpcError `bad_message` */
export function checkedName(field: string, name: string): string {
  const error = nameError(field, name)
  if (error) throw error
  return name
}

/** @throws RpcError `bad_message` unless it is a function */
export function checkFunction(field: string, value: unknown): void {
  if (typeof value !== 'function') throw badArgument(field, 'function')
}
