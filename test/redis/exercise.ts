import type { Engine } from '@token-socket/server'
import { expect } from 'chai'

const KEPT = { size: 10, ttl: 60_000 }

/** Does each thing that engines do once, across two nodes: every script and command is run. */
export async function exercise(one: Engine, two: Engine): Promise<void> {
  await publish(one, two)
  await attend(one, two)
  await one.tickets.put({ id: 't', json: '{}', ttl: 60_000 })
  expect([await two.tickets.take('t'), await one.tickets.take('t')]).to.deep.equal(['{}', undefined])
  expect([await one.tickets.claim('t', 60_000), await two.tickets.claim('t', 60_000)]).to.deep.equal([
    true,
    false,
  ])
}

async function publish(one: Engine, two: Engine): Promise<void> {
  await two.broker.subscribe('exercise')
  const publish = (json: string, options: object) =>
    one.broker.publish({ channel: 'exercise', json }, options)
  const first = await publish('1', { retention: KEPT, idempotencyKey: 'k' })
  expect(await publish('1', { retention: KEPT, idempotencyKey: 'k' })).to.deep.equal(first)
  await publish('2', { retention: { ...KEPT, ttl: 1 } })
  await publish('3', { retention: KEPT })
  await publish('4', {})
  await publish('5', { idempotencyKey: 'l' })
  const read = async (query: object) =>
    (await two.history.read('exercise', { limit: 9, ...query })).publications.map(({ json }) => json)
  // Its time is over within a millisecond or two, by the clock of the Redis that was asked last.
  while ((await read({ after: first.id })).includes('2'))
    await new Promise((resolve) => setTimeout(resolve, 2))
  expect(await read({ after: first.id })).to.deep.equal(['3'])
  expect(await read({ reverse: true })).to.deep.equal(['3', '1'])
  expect(await two.history.position('exercise')).to.include({ epoch: first.epoch, offset: 3 })
  await one.broker.broadcast('1')
  await two.broker.unsubscribe('exercise')
}

async function attend(one: Engine, two: Engine): Promise<void> {
  const entry = { channel: 'exercise', sid: 's', uid: 'ann' }
  expect((await one.presence.enter(entry, 1)).members).to.deep.equal([{ uid: 'ann' }])
  await one.presence.leave(entry, 60_000)
  expect((await two.presence.members('exercise')).members).to.deep.equal([{ uid: 'ann' }])
  await one.presence.enter(entry, 1)
  await one.presence.leave(entry, 50)
  // Its grace ends by itself.
  while ((await two.presence.members('exercise')).members.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 20))
}
