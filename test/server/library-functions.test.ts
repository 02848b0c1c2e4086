import { callTimeoutOf, isRecorded, localSocket, recordId, reportFailure } from '@token-socket/server'
import { expect } from 'chai'
import { until, useSites } from '../end-to-end/fixture.js'

/** What is neither a socket of this node nor a server. */
const OTHERS = [{}, { cluster: {} }, undefined, null, 'sid']

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

  it('reaches them of a server, as it is', async () => {
    const site = await start()
    const cause = new Error('of a library')
    reportFailure(site.sockets, cause, { function: 'orders.pay', sid: 'another node’s' })
    const details = { function: 'orders.pay', sid: 'another node’s' }
    expect(site.failures).to.deep.equal([{ cause, details }])
    expect(site.log.find((line) => line.details.err === cause)?.details).to.include(details)
  })

  it('does nothing for what is neither', () => {
    for (const subject of OTHERS) reportFailure(subject as never, new Error('x'), {})
  })
})

describe('#callTimeoutOf', () => {
  const start = useSites()

  it('is `limits.callTimeout` of the server', async () => {
    const site = await start({ limits: { callTimeout: 1234 } })
    const { socket } = await site.pair()
    expect([callTimeoutOf(socket), callTimeoutOf(site.sockets)]).to.deep.equal([1234, 1234])
  })

  it('is the default of that limit for what is neither', () => {
    for (const subject of OTHERS) expect(callTimeoutOf(subject as never)).to.equal(30_000)
  })
})

describe('#localSocket', () => {
  const start = useSites()

  it('is the socket of this node that has the sid, or none', async () => {
    const site = await start()
    const { socket } = await site.pair()
    expect(localSocket(site.sockets, socket.sid)).to.equal(socket)
    expect(localSocket(site.sockets, 'another')).to.equal(undefined)
    for (const subject of OTHERS) expect(localSocket(subject as never, socket.sid)).to.equal(undefined)
  })
})

describe('#isRecorded', () => {
  const start = useSites()

  it('is true of what was recorded, until its time is over', async () => {
    const { sockets } = await start()
    expect(await isRecorded(sockets, 'an id')).to.equal(false)
    await recordId(sockets, 'an id', 60_000)
    await recordId(sockets, 'a short one', 1)
    expect([await isRecorded(sockets, 'an id'), await isRecorded(sockets, 'another')]).to.deep.equal([
      true,
      false,
    ])
    await until(async () => !(await isRecorded(sockets, 'a short one')))
  })

  it('is false without a server', async () => {
    for (const subject of OTHERS) {
      await recordId(subject as never, 'an id', 1000)
      expect(await isRecorded(subject as never, 'an id')).to.equal(false)
    }
  })
})
