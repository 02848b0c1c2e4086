/** Calls that tests make to an {@link RpcPeer}. */
import type { Action, IncomingCall, Outcome, RpcPeer } from '@token-socket/protocol'

export type Callback = (error?: unknown, data?: unknown) => void

export function incoming(action: Action | undefined, answers: Outcome[]): IncomingCall {
  return { action, before: ['data'], answer: (outcome) => answers.push(outcome) }
}

/** The answers to a call of the function, as they come. */
export function received(peer: RpcPeer, action: Action | undefined): Outcome[] {
  const answers: Outcome[] = []
  peer.receive(incoming(action, answers))
  return answers
}

/** A call that runs until its callback is called. */
export function waiting(peer: RpcPeer): { answers: Outcome[]; callback: Callback } {
  let callback: Callback = () => {}
  const answers = received(peer, (_data: unknown, given: Callback) => {
    callback = given
  })
  return { answers, callback: (...args) => callback(...args) }
}

/** All that promises do now is done. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export function throwIt(error: unknown): never {
  throw error
}
