import type { NodeCommand } from '@token-socket/server/engine'
import { expect } from 'chai'
import { NAMES } from './names.js'
import { bound, type MakeRecords, type ReceivedMessages } from './received-messages.js'

/** How publications are kept. */
const KEPT = { size: 100, ttl: 60_000 }

/** The cases of one node. */
export function describeBroker(records: MakeRecords): void {
  const publication = (channel: string, json: string) => ({ channel, json })

  describe('#publish', () => {
    it('reaches a subscribed channel', async () => {
      const [{ engine, until }] = bound(await records(1))
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '{"x":1}' })
      expect(await until(1)).to.deep.equal([publication('a', '{"x":1}')])
    })

    it('carries JSON unchanged', async () => {
      const texts = ['null', '""', '{ "x" : 1 }', '"\\u0000"', '"😀 \u2028 \\n"', `"${'x'.repeat(100_000)}"`]
      const [{ engine, until }] = bound(await records(1))
      await engine.broker.subscribe('a')
      for (const json of texts) await engine.broker.publish({ channel: 'a', json: json })
      expect(await until(texts.length)).to.deep.equal(texts.map((json) => publication('a', json)))
    })

    it('is received in the order of publishing, each once', async () => {
      const [{ engine, until }] = bound(await records(1))
      const texts = Array.from({ length: 200 }, (_, index) => String(index))
      await engine.broker.subscribe('a')
      await Promise.all(texts.map((json) => engine.broker.publish({ channel: 'a', json: json })))
      await engine.broker.publish({ channel: 'a', json: '"last"' })
      const received = await until(texts.length + 1)
      expect(received).to.deep.equal([...texts, '"last"'].map((json) => publication('a', json)))
    })

    for (const [kind, options] of Object.entries({ kept: { retention: KEPT }, 'not kept': {} })) {
      it(`resolves after this node has received it, if it is subscribed: ${kind}`, async () => {
        const [{ engine, messages }] = bound(await records(1))
        await engine.broker.subscribe('a')
        const receivedThen: number[] = []
        for (let index = 0; index < 20; index += 1) {
          await engine.broker.publish({ channel: 'a', json: String(index) }, options)
          receivedThen.push(messages.length)
        }
        expect(receivedThen).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 1))
      })
    }

    it('resolves if this node unsubscribes meanwhile', async () => {
      const [{ engine }] = bound(await records(1))
      for (let index = 0; index < 20; index += 1) {
        await engine.broker.subscribe('a')
        const published = engine.broker.publish({ channel: 'a', json: '1' })
        await Promise.all([published, engine.broker.unsubscribe('a')])
      }
    })

    it('resolves without a subscriber', async () => {
      const [{ engine }] = await records(1)
      await engine.broker.publish({ channel: 'empty', json: '1' })
    })

    for (const [name, other] of NAMES) {
      const short = JSON.stringify(name.length > 20 ? `${name.slice(0, 5)}…` : name)
      it(`takes ${short} for a name, not for a pattern`, async () => {
        const [{ engine, until }] = bound(await records(1))
        await engine.broker.subscribe(name)
        await engine.broker.publish({ channel: other, json: '"other"' })
        await engine.broker.publish({ channel: name, json: '"one"' })
        await engine.broker.publish({ channel: name, json: '"two"' })
        expect(await until(2)).to.deep.equal([publication(name, '"one"'), publication(name, '"two"')])
      })
    }
  })

  describe('#subscribe', () => {
    it('does nothing when it is called again: each publication is received once', async () => {
      const [{ engine, until }] = bound(await records(1))
      await Promise.all([engine.broker.subscribe('a'), engine.broker.subscribe('a')])
      await engine.broker.subscribe('a')
      for (const json of ['1', '2']) await engine.broker.publish({ channel: 'a', json: json })
      expect(await until(2)).to.deep.equal([publication('a', '1'), publication('a', '2')])
    })

    it('does not receive what was published before', async () => {
      const [{ engine, until }] = bound(await records(1))
      await engine.broker.publish({ channel: 'a', json: '1' })
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '2' })
      expect(await until(1)).to.deep.equal([publication('a', '2')])
    })
  })

  describe('#unsubscribe', () => {
    it('ends it: later publications are not received', async () => {
      const [{ engine, until }] = bound(await records(1))
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '1' })
      await until(1)
      await engine.broker.unsubscribe('a')
      await engine.broker.publish({ channel: 'a', json: '2' })
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '3' })
      expect(await until(2)).to.deep.equal([publication('a', '1'), publication('a', '3')])
    })

    it('ends several subscriptions at once', async () => {
      const [{ engine, until }] = bound(await records(1))
      await engine.broker.subscribe('a')
      await engine.broker.subscribe('a')
      await engine.broker.unsubscribe('a')
      await engine.broker.publish({ channel: 'a', json: '1' })
      await engine.broker.subscribe('a')
      await engine.broker.publish({ channel: 'a', json: '2' })
      expect(await until(1)).to.deep.equal([publication('a', '2')])
    })

    it('does not change other channels', async () => {
      const [{ engine, until }] = bound(await records(1))
      for (const [name] of NAMES) await engine.broker.subscribe(name)
      await engine.broker.unsubscribe('a')
      for (const [name] of NAMES) await engine.broker.publish({ channel: name, json: JSON.stringify(name) })
      const others = NAMES.slice(1).map(([name]) => publication(name, JSON.stringify(name)))
      expect(await until(others.length)).to.have.deep.members(others)
    })

    it('does nothing if the channel is not subscribed', async () => {
      const [{ engine }] = await records(1)
      await engine.broker.unsubscribe('a')
      await engine.broker.unsubscribe('__proto__')
    })
  })

  describe('#broadcast', () => {
    it('is received without a subscription, once, in order', async () => {
      const [{ engine, messages, until }] = bound(await records(1))
      for (const channel of ['a', 'b']) await engine.broker.subscribe(channel)
      for (const json of ['1', '2', '3']) await engine.broker.broadcast(json)
      expect(messages, 'when it resolved').to.have.length(3)
      expect(await until(3)).to.deep.equal(['1', '2', '3'].map((json) => ({ broadcast: json })))
    })
  })

  describe('#command', () => {
    it('is received by the node that sent it, with every name', async () => {
      const [{ engine, until }] = bound(await records(1))
      const commands = NAMES.map(([channel]): NodeCommand => ({ type: 'unsubscribeAll', channel }))
      for (const command of commands) await engine.broker.command(command)
      expect(await until(commands.length)).to.deep.equal(commands.map((command) => ({ command })))
    })
  })
}

/** The cases of several nodes. */
export function describeSharedBroker(records: MakeRecords): void {
  it('carries publications to subscribed nodes only', async () => {
    const all = await records(3)
    const [one, two, three] = all as readonly [ReceivedMessages, ReceivedMessages, ReceivedMessages]
    await Promise.all([one, two].map(({ engine }) => engine.broker.subscribe('a')))
    await three.engine.broker.subscribe('b')
    await three.engine.broker.publish({ channel: 'a', json: '1' })
    await one.engine.broker.publish({ channel: 'b', json: '2' })
    for (const ear of [one, two]) expect(await ear.until(1)).to.deep.equal([{ channel: 'a', json: '1' }])
    expect(await three.until(1)).to.deep.equal([{ channel: 'b', json: '2' }])
  })

  it('has one order of the publications of a channel on every node', async () => {
    const all = await records(3)
    await Promise.all(all.map(({ engine }) => engine.broker.subscribe('a')))
    const publish = ({ engine }: ReceivedMessages, node: number) =>
      Array.from({ length: 50 }, (_, index) =>
        engine.broker.publish({ channel: 'a', json: `"${node}:${index}"` }),
      )
    await Promise.all(all.flatMap(publish))
    const [first, ...others] = await Promise.all(all.map((ear) => ear.until(150)))
    expect(new Set((first as { json: string }[]).map(({ json }) => json)).size).to.equal(150)
    for (const received of others) expect(received).to.deep.equal(first)
  })

  it('lets each node unsubscribe for itself', async () => {
    const [one, two] = (await records(2)) as unknown as readonly [ReceivedMessages, ReceivedMessages]
    await Promise.all([one, two].map(({ engine }) => engine.broker.subscribe('a')))
    await one.engine.broker.unsubscribe('a')
    await one.engine.broker.publish({ channel: 'a', json: '1' })
    expect(await two.until(1)).to.deep.equal([{ channel: 'a', json: '1' }])
    await one.engine.broker.subscribe('a')
    await two.engine.broker.publish({ channel: 'a', json: '2' })
    expect(await one.until(1)).to.deep.equal([{ channel: 'a', json: '2' }])
  })

  it('sends broadcasts and commands to every node, once', async () => {
    const all = await records(3)
    const command: NodeCommand = { type: 'unsubscribeAll', channel: 'a' }
    await all[0].engine.broker.broadcast('1')
    for (const ear of all) await ear.until(1)
    await all[0].engine.broker.command(command)
    for (const ear of all) expect(await ear.until(2)).to.deep.equal([{ broadcast: '1' }, { command }])
  })

  it('goes on when one node is closed', async () => {
    const [one, two, three] = (await records(3)) as unknown as readonly [
      ReceivedMessages,
      ReceivedMessages,
      ReceivedMessages,
    ]
    await Promise.all([one, two].map(({ engine }) => engine.broker.subscribe('a')))
    await one.engine.close()
    await three.engine.broker.publish({ channel: 'a', json: '1' })
    expect(await two.until(1)).to.deep.equal([{ channel: 'a', json: '1' }])
  })
}
