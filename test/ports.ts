import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that systems give to who asks for any, so that nobody gets one between its choice and its use. */
const RANGE = { first: 12_000, count: 18_000 }

/** Far enough from those of test processes beside this one. */
let last = process.pid * 331

/** A port of the loopback interface that nobody listens on, for a program that has to be told one. */
export async function freePort(): Promise<number> {
  for (;;) {
    last += 1
    const port = RANGE.first + (last % RANGE.count)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const failed = once(server, 'error').then(() => false)
  const isFree = await Promise.race([once(server, 'listening').then(() => true), failed])
  failed.catch(() => {})
  if (isFree) await new Promise((resolve) => server.close(resolve))
  return isFree
}
