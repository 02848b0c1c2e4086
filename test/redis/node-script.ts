/** A node in a process of its own, for tests that kill it or set its clock: it does what it is told by messages. */
interface Order {
  readonly id: number
  readonly part: 'broker' | 'presence' | 'nodes' | 'engine'
  readonly method: string
  readonly args: readonly unknown[]
}

/** The ids of messages that answer no order. */
const READY = 0
const ASKED = -1

const [options = '{}', ahead = '0'] = process.argv.slice(2)
const now = Date.now
Date.now = () => now() + Number(ahead)

const { RedisEngine } = await import('@token-socket/redis')
const engine = new RedisEngine(JSON.parse(options))
// The node that asks it waits until it ends.
engine.nodes.serve(() => {
  process.send?.({ id: ASKED })
  return new Promise(() => {})
})
const isReady = () =>
  engine.ready().then(
    () => true,
    () => false,
  )
// With short time-outs, the first tries may be in vain on a busy machine.
while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 20))

process.on('message', async ({ id, part, method, args }: Order) => {
  const owner = (part === 'engine' ? engine : engine[part]) as unknown as Record<
    string,
    (...args: readonly unknown[]) => Promise<unknown>
  >
  const data = await owner[method]?.(...args)
  process.send?.({ id, data })
})
process.send?.({ id: READY })
