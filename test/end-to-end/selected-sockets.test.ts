import { MemoryEngine } from '@token-socket/server'
import { useSites } from './fixture.js'
import { describeSelectedSockets } from './selected-sockets.js'

describe('selected sockets, on one node', () => {
  const start = useSites()

  describeSelectedSockets(async (options) => {
    const site = await start({ engine: new MemoryEngine(), ...options })
    return [site, site]
  })
})
