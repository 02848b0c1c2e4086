import {
  type Action,
  abortReason,
  asRpcError,
  type CallContext,
  findJsonLosses,
} from '@token-socket/protocol'
import type { Notices } from './notices.js'

type Callback = (error?: unknown, data?: unknown) => void

/** A function of the application that the server calls, and its name. */
interface NamedAction {
  readonly name: string
  readonly action: Action
}

/** What calls actions. It asks for each, each time. */
interface ActionCaller {
  findAction(name: string): Action | undefined
}

/** The notices of sockets whose developers are warned, and of what calls their actions. */
const noticesOf = new WeakMap<object, Notices>()

/** Keeps the notices of a socket for {@link adviseOnActions}. */
export function keepNotices(socket: object, notices: Notices): void {
  noticesOf.set(socket, notices)
}

/** Warns the developer of a socket of usual mistakes in its actions. @param caller calls them */
export function adviseOnActions(socket: object, caller: ActionCaller): void {
  const notices = noticesOf.get(socket)
  if (notices) noticesOf.set(caller, notices)
}

/** A function to run in the place of an action, which warns of usual mistakes in it. @returns `undefined` for the action itself */
export function advisedAction(caller: ActionCaller, name: string): Action | undefined {
  const notices = noticesOf.get(caller)
  const action = notices && caller.findAction(name)
  return action && watched({ name, action }, notices)
}

/**
 * It does the same, and warns of what JSON changes of an answer, and of a callback that is declared and not called until the
 * call times out.
 */
function watched({ name, action }: NamedAction, notices: Notices): Action {
  const check = (data: unknown) => {
    for (const { path, type, remedy } of findJsonLosses(data))
      notices.warn(`The answer of the action "${name}": ${path} is ${type}: ${remedy}.`)
  }
  const advised = (data: unknown, callback: Callback, context: CallContext): unknown => {
    let hasCalled = false
    const called: Callback = (error, answer) => {
      hasCalled = true
      if (!error) check(answer)
      callback(error, answer)
    }
    const result = action(data, called, context)
    if (result instanceof Promise) result.then(check, () => {})
    // To call `then` of anything else, such as a query, may start it once more.
    else if (result !== undefined && !isThenable(result)) check(result)
    else if (result === undefined && action.length > 1)
      onTimeout(context, () => hasCalled || notices.warn(uncalled(name)))
    return result
  }
  // What it declares decides how it answers.
  return Object.defineProperty(advised, 'length', { value: action.length }) as Action
}

function isThenable(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null)?.then === 'function'
}

function uncalled(name: string): string {
  return `The action "${name}" declares a callback and did not call it in time: call it, or return the answer.`
}

function onTimeout(context: CallContext, run: () => void): void {
  // Platforms without it give no signal.
  if (typeof AbortController === 'undefined') return
  const { signal } = context
  signal.addEventListener('abort', () => {
    if (asRpcError(abortReason(signal)).code === 'timeout') run()
  })
}
