import { MemoryEngine } from '@token-socket/server'
import { describeCuttingOff } from './cutting-off.js'
import { useSites } from './fixture.js'

describe('cutting a user off, on one node', () => {
  const start = useSites()

  describeCuttingOff(async (options) => {
    const site = await start({ engine: new MemoryEngine(), ...options })
    return [site, site]
  })
})
