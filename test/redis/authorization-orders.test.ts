import { describeOrders } from '../end-to-end/authorization-orders.js'
import { useTwoSites } from './two-sites.js'

describe('the orders of a cluster, on two nodes', function () {
  this.timeout(120_000)
  describeOrders(useTwoSites())
})
