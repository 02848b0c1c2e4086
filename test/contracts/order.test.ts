import { defineContract, procedure, type Schema, type } from '@token-socket/contract'
import { safe } from '@token-socket/contract/client'
import { mockServer } from '@token-socket/contract/mock'
import { expect } from 'chai'
import fc from 'fast-check'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A value whose schema never answers. */
const NEVER = -1

/** Takes a number of turns of the event loop, by the value; none is an answer at once. */
function slow(turnsOf: (value: number) => number): Schema<number> {
  const validate = (given: unknown) => {
    const value = given as number
    if (value === NEVER) return new Promise<never>(() => {})
    const later = async () => {
      for (let left = turnsOf(value); left > 0; left -= 1) await turn()
      return { value }
    }
    return turnsOf(value) === 0 ? { value } : later()
  }
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

/** What is sent: its number says also how long its schema takes. */
const NAMES = ['fast', 'slow', 'ask', 'event'] as const

const steps = fc.array(fc.record({ name: fc.constantFrom(...NAMES), turns: fc.nat(3) }), { maxLength: 8 })
type Steps = readonly { readonly name: (typeof NAMES)[number]; readonly turns: number }[]

/** The number of a step, of which the last digit says how many turns its schema takes. */
const numberOf = ({ turns }: Steps[number], at: number) => at * 10 + turns
const timed = slow((value) => value % 10)

const contract = defineContract({
  server: {
    run: procedure({
      input: type<{ readonly steps: Steps; readonly turns: number; readonly fails: boolean }>(),
      output: timed,
      errors: { failed: timed },
    }),
    fast: procedure({ input: type<number>() }),
    slow: procedure({ input: timed }),
    ask: procedure({ input: timed, output: timed }),
  },
  client: {
    fast: procedure({ input: type<number>() }),
    slow: procedure({ input: timed }),
    ask: procedure({ input: timed, output: timed }),
  },
  channels: { room: { events: { event: timed } } },
})

/** A mock server whose `run` sends steps to its caller, and then answers or fails. */
async function open(checkSent: boolean) {
  const mock = mockServer(contract, {
    handlers: {
      run({ steps: list, turns, fails }, { client, errors }) {
        for (const [at, step] of list.entries()) {
          if (step.name !== 'event') client[step.name](numberOf(step, at))
        }
        if (fails) throw errors.failed(turns)
        return turns
      },
      fast() {},
      slow() {},
      ask: (value) => value,
    },
  })
  return { mock, client: await mock.connect({ checkSent }) }
}

describe('the order of what a contract sends and receives', () => {
  for (const checkSent of [true, false]) {
    it(`is that of the server's calls, the answer last; the client checks what it sends: ${checkSent}`, async () => {
      const { mock, client } = await open(checkSent)
      let heard: (number | 'answer')[] = []
      client.onFast((value) => heard.push(value))
      client.onSlow((value) => heard.push(value))
      client.handle({ ask: (value) => heard.push(value) })
      await fc.assert(
        fc.asyncProperty(steps, fc.nat(3), fc.boolean(), async (list, turns, fails) => {
          heard = []
          await client.run({ steps: list, turns, fails }).catch(() => {})
          heard.push('answer')
          const numbers = list.flatMap((step, at) => (step.name === 'event' ? [] : [numberOf(step, at)]))
          expect(heard).to.deep.equal([...numbers, 'answer'])
        }),
        { numRuns: 60 },
      )
      await mock.close()
    })
  }

  it("is that of the client's calls on the wire, with the messages of channels", async () => {
    const { mock, client } = await open(true)
    const room = client.channel('room')
    let wire: number[] = []
    client.$socket.on('frameOut', (text) => {
      wire.push(
        ...[...String(text).matchAll(/"(?:req|data|message)":(\d+)/g)].map(([, value]) => Number(value)),
      )
    })
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        wire = []
        const sent = list.map((step, at) =>
          step.name === 'event'
            ? room.send('event', numberOf(step, at))
            : client[step.name](numberOf(step, at)),
        )
        await Promise.allSettled(sent)
        expect(wire).to.deep.equal(list.map(numberOf))
      }),
      { numRuns: 60 },
    )
    await mock.close()
  })

  it('does not wait for the answer of a call whose schema is asynchronous', async () => {
    const { mock, client } = await open(true)
    mock.use({ ask: () => new Promise(() => {}) })
    client.ask(1)
    client.fast(2)
    expect(await mock.next('fast')).to.equal(2)
    await mock.close()
  })

  it('gives a call up that waits for another one, and sends it never', async () => {
    const { mock, client } = await open(true)
    const { signal, abort } = abortable()
    client.slow(NEVER)
    const [error] = await Promise.all([safe(client.ask(1, { signal })).then(([reason]) => reason), abort()])
    expect(error?.code).to.equal('aborted')
    expect(mock.received).to.deep.equal([])
    await mock.close()
  })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: async () => turn().then(() => controller.abort()) }
}
