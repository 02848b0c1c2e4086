import { MemoryEngine } from '@token-socket/server'
import { describeEventHistories } from './event-histories.js'
import { useSites } from './fixture.js'

describe('the events of sockets, in random histories', () => {
  const start = useSites()

  describeEventHistories((options) => start({ engine: new MemoryEngine(), ...options }), { count: 40 })
})
