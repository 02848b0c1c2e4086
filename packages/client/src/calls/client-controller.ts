import type { CallContext } from '@token-socket/protocol'

/**
 * A function that the server can call. Its answer is what it returns or resolves; a promise always
 * answers, also with `undefined`. A function that declares the callback and returns `undefined`
 * answers by the callback. (A method's type, so that parameters may be narrowed.)
 */
export type ClientAction = {
  action(data: unknown, callback: (error?: unknown, data?: unknown) => void, call: CallContext): unknown
}['action']

/**
 * A nested tree of {@link ClientAction}s. It may be changed at any time; running calls continue.
 */
export interface ClientController {
  readonly [name: string]: ClientAction | ClientController
}
