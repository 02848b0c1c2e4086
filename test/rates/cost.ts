/** What counting one message costs a server: without limits, and with them. */
import { MemoryEngine } from '@token-socket/server'
import { Turns } from '#server/runtime/turns.js'
import { MessageCounter } from '#server/socket/message-counter.js'
import { type MessageLimitOptions, MessageLimits } from '#server/socket/message-limits.js'

const NONE = Number.POSITIVE_INFINITY

/** Limits that no message reaches. */
const FAR = 1e9

const OFF: MessageLimitOptions = {
  messagesPerSecond: NONE,
  messagesBurst: NONE,
  userMessagesPerSecond: NONE,
  userMessagesBurst: NONE,
}
const SOCKET = { ...OFF, messagesPerSecond: FAR, messagesBurst: FAR }

const CASES = {
  'without limits': OFF,
  'of each socket': SOCKET,
  'of each socket and user': { ...SOCKET, userMessagesPerSecond: FAR, userMessagesBurst: FAR },
}

/** Nanoseconds of CPU for each message. @param turns of the event loop, with 1,000 messages each */
async function costOf(options: MessageLimitOptions, turns: number): Promise<number> {
  const messageLimits = MessageLimits.of(options, new MemoryEngine())
  const owner = { limits: { rate: NONE, rateRefusals: NONE }, messageLimits, turns: new Turns() }
  const socketOf = (subject: string) => ({ subject, ip: undefined, closeFor: () => {} })
  const counters = Array.from({ length: 50 }, (_, user) => new MessageCounter(socketOf(`uid:${user}`), owner))
  const begun = process.cpuUsage()
  for (let turn = 0; turn < turns; turn += 1) {
    for (let round = 0; round < 20; round += 1) for (const counter of counters) counter.take()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / turns
}

/** The cost of each case in nanoseconds a message, the least of three. */
export async function costs(turns = 2000): Promise<readonly (readonly [name: string, ns: number])[]> {
  const least = new Map<string, number>()
  for (let round = 0; round < 3; round += 1)
    for (const [name, options] of Object.entries(CASES))
      least.set(name, Math.min(least.get(name) ?? NONE, await costOf(options, turns)))
  return [...least]
}
