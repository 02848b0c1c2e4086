import { createOrder, type MessageOrder } from '../message-order.js'

const orders = new WeakMap<object, MessageOrder>()

/**
 * The order of what is checked and sent to one receiver, of all contracts.
 *
 * @param receiver a socket of this node; the server, for publications and for the sockets of other
 *   nodes
 */
export function sendingOrder(receiver: object): MessageOrder {
  const order = orders.get(receiver) ?? createOrder()
  orders.set(receiver, order)
  return order
}
