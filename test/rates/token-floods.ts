/** Floods of token requests, by users and from addresses. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryEngine } from '@token-socket/server'
import { Counts, type FloodResult, PACE } from './floods.js'
import { startNode } from './node.js'

/** Each limit is this many in a second. */
const TOKENS_PER_SECOND = 25

/** Requests of one asker that are made together, each {@link PACE}. */
const AT_ONCE = 4

/** What a flood of token requests is. */
export interface TokenFloodKind {
  readonly name: string
  readonly limits: Readonly<Record<string, number>>
  /** Those that flood, each with a limit of its own: the user and the address of the request at a number. */
  readonly askers: Readonly<
    Record<string, (number: number) => { readonly user: string; readonly ip: string }>
  >
}

export const TOKEN_FLOODS: readonly TokenFloodKind[] = [
  {
    name: 'tokenRequestsPerUser',
    limits: { tokenRequestsPerUser: TOKENS_PER_SECOND },
    askers: {
      'one address': () => ({ user: 'ann', ip: '198.51.100.1' }),
      'many addresses': (number) => ({ user: 'bob', ip: `198.51.100.${1 + (number % 200)}` }),
    },
  },
  {
    name: 'tokenRequestsPerAddress',
    limits: { tokenRequestsPerAddress: TOKENS_PER_SECOND },
    askers: {
      'one user': () => ({ user: 'ann', ip: '198.51.100.1' }),
      'many users': (number) => ({ user: `user ${number % 200}`, ip: '198.51.100.2' }),
      'a block of IPv6': (number) => ({ user: 'ann', ip: `2001:db8::${(number % 200).toString(16)}` }),
    },
  },
]

/** Floods a node's token route by all askers at once. @param seconds for which is counted */
export async function floodTokens(kind: TokenFloodKind, seconds: number): Promise<FloodResult[]> {
  const { name, limits, askers } = kind
  const node = await startNode({ limits, engine: new MemoryEngine() }, () => {})
  const [sent, passed, lost] = [new Counts(), new Counts(), new Counts()]
  const ask = async (asker: string, number: number) => {
    const { user, ip } = askers[asker]?.(number) ?? { user: '', ip: '' }
    const headers = { 'X-Forwarded-For': ip }
    const url = `${node.url}/socket/token?name=${encodeURIComponent(user)}`
    const response = await fetch(url, { method: 'POST', headers })
    await response.text()
    sent.add(asker)
    if (response.status === 200) passed.add(asker)
    else if (response.status !== 429 || !response.headers.has('Retry-After')) lost.add(asker)
  }
  // The first token takes longer than others.
  await fetch(`${node.url}/socket/token?name=first`, {
    method: 'POST',
    headers: { 'X-Forwarded-For': '198.51.100.3' },
  })
  const begun = performance.now()
  const isOver = () => performance.now() - begun >= seconds * 1000
  // Without the wait for the last answers.
  let asked = begun
  const run = async (asker: string) => {
    for (let at = 0; !isOver(); at += 1) {
      asked = performance.now()
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => ask(asker, at * AT_ONCE + index)))
      await sleep(Math.max(0, begun + (at + 1) * PACE - performance.now()))
    }
  }
  await Promise.all(Object.keys(askers).map(run))
  const limit = Math.round((TOKENS_PER_SECOND * (asked - begun)) / 1000 + TOKENS_PER_SECOND)
  await node.close()
  return Object.keys(askers).map((asker) => ({
    kind: name,
    transport: asker,
    sent: sent.of(asker),
    passed: passed.of(asker),
    limit,
    lost: lost.of(asker),
  }))
}
