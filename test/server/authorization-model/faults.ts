/** Faults that the model has to find: each takes the place of a method, and returns what undoes it. */
import { AuthorizationLog } from '#server/authentication/authorization-log.js'
import { AutomaticSubscriptions } from '#server/channels/automatic-subscriptions.js'
import { Hub } from '#server/channels/hub.js'
import { Policy } from '#server/channels/policy.js'
import { PresenceJudging } from '#server/channels/presence-judging.js'
import { PublicationsInFlight } from '#server/channels/publications-in-flight.js'
import { Reauthorization } from '#server/channels/reauthorization.js'
import { MemoryPresence } from '#server/engine/memory-presence.js'
import { ServerSocket } from '#server/socket/server-socket.js'

/** Puts something in the place of a method. @returns what undoes it */
function replace<T extends object, Name extends keyof T>(
  prototype: T,
  name: Name,
  make: (original: T[Name]) => unknown,
): () => void {
  const original = prototype[name]
  prototype[name] = make(original) as T[Name]
  return () => {
    prototype[name] = original
  }
}

/** The faults, by what is wrong. */
export const FAULTS: Readonly<Record<string, () => () => void>> = {
  'a change judges nothing again': () => replace(Reauthorization.prototype, 'judge', () => async () => {}),
  'a change is acknowledged before it was judged': () =>
    replace(
      Reauthorization.prototype,
      'judge',
      (judge) =>
        async function (this: Reauthorization, ...how: Parameters<typeof judge>) {
          setTimeout(() => judge.apply(this, how), 1)
        },
    ),
  'a change does not wait for publications': () =>
    replace(PublicationsInFlight.prototype, 'landed', () => () => undefined),
  'presence is not judged again': () => replace(PresenceJudging.prototype, 'judge', () => () => undefined),
  'what is newly automatic is not joined': () =>
    replace(
      AutomaticSubscriptions.prototype,
      'begin',
      (begin) =>
        function (this: AutomaticSubscriptions, ...[socket, refused, before]: Parameters<typeof begin>) {
          if (!before) begin.call(this, socket, refused)
        },
    ),
  'decisions are remembered': () =>
    replace(Policy.prototype, 'allows', (allows) => {
      const known = new Map<string, ReturnType<typeof allows>>()
      return function (this: Policy, ...[socket, request]: Parameters<typeof allows>) {
        const key = `${socket.sid} ${request.type} ${'channel' in request ? request.channel : ''}`
        if (!known.has(key)) known.set(key, allows.call(this, socket, request))
        return known.get(key)
      }
    }),
  'revoked tokens are good': () => replace(AuthorizationLog.prototype, 'refuses', () => () => false),
  'a revocation closes nothing': () =>
    replace(
      ServerSocket.prototype,
      'closeFor',
      (closeFor) =>
        function (this: ServerSocket, why: Parameters<typeof closeFor>[0]) {
          if (why !== 'revoked') closeFor.call(this, why)
        },
    ),
  'one publication in fifty is lost': () =>
    replace(Hub.prototype, 'deliver', (deliver) => {
      let count = 0
      return function (this: Hub, ...what: Parameters<typeof deliver>) {
        count += 1
        if (count % 50 > 0) deliver.apply(this, what)
      }
    }),
  'members who lose the channel stay': () => replace(MemoryPresence.prototype, 'leave', () => async () => {}),
}
