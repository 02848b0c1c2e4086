import { reportFailure } from '@token-socket/server'
import { expect } from 'chai'
import { useSites } from '../end-to-end/fixture.js'

describe('#reportFailure', () => {
  const start = useSites()

  it('reaches the log and the error event, with the socket', async () => {
    const site = await start()
    const { socket } = await site.pair()
    const cause = new Error('of a library')
    reportFailure(socket, cause, { function: 'orders.pay' })
    expect(site.failures).to.deep.equal([{ cause, details: { function: 'orders.pay', sid: socket.sid } }])
    const line = site.log.find(({ details }) => details.err === cause)
    expect(line?.details).to.include({ function: 'orders.pay', sid: socket.sid })
  })

  it('does nothing for what is no socket', () => {
    for (const socket of [{}, undefined, null, 'sid']) reportFailure(socket as never, new Error('x'), {})
  })
})
