import { describeCuttingOff } from '../end-to-end/cutting-off.js'
import { useTwoSites } from './two-sites.js'

describe('cutting a user off, on two nodes', function () {
  this.timeout(120_000)
  describeCuttingOff(useTwoSites())
})
