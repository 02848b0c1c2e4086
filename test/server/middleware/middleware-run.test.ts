/** Random stacks of middleware, against a model that says what each has to end in. */
import { createTimeouts, RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { MiddlewareRun, type Next, type Step } from '#server/middleware/middleware-run.js'
import { until } from '../../client/waiting.js'
import { Random } from '../../protocol/random.js'

/** What a step does, in this order. */
interface Plan {
  readonly name: string
  readonly waits: boolean
  readonly throwsBefore: boolean
  /** Calls `next()`, and waits for it, leaves it alone, or catches what it rejects with; or refuses by `next(error)`. */
  readonly calls: 'not' | 'waits' | 'leaves' | 'catches' | 'refuses'
  readonly throwsAfter: boolean
  readonly returns: 'nothing' | 'own' | 'inner' | 'false'
}

type Outcome = { readonly value: unknown } | { readonly error: string }

/** Says what a stack ends in, and in which order its steps begin, and end where they wait for the rest. */
function model(plans: readonly Plan[], core: Outcome, givesAnswer: boolean, order: string[]): Outcome {
  const [plan, ...rest] = plans
  if (!plan) {
    order.push('core')
    return core
  }
  order.push(`${plan.name}>`)
  if (plan.throwsBefore) return { error: `${plan.name} before` }
  const goesOn = plan.calls !== 'not' && plan.calls !== 'refuses'
  const inner = goesOn ? model(rest, core, givesAnswer, order) : undefined
  const passesOn = plan.calls === 'waits' && inner !== undefined && 'error' in inner
  if (passesOn) return inner
  if (plan.calls === 'waits' || plan.calls === 'catches') order.push(`<${plan.name}`)
  if (plan.throwsAfter) return { error: `${plan.name} after` }
  if (plan.calls === 'refuses') return { error: `${plan.name} refuses` }
  const returned = returnedBy(plan, inner)
  if (givesAnswer && returned !== undefined && (inner || returned !== false)) return { value: returned }
  return inner ?? { error: 'forbidden' }
}

function returnedBy(plan: Plan, inner: Outcome | undefined): unknown {
  if (plan.returns === 'own') return plan.name
  if (plan.returns === 'false') return false
  const hasValue = plan.returns === 'inner' && plan.calls === 'waits' && inner && 'value' in inner
  return hasValue ? inner.value : undefined
}

function stepOf(plan: Plan, order: string[]): Step<object> {
  return async (_context, next) => {
    order.push(`${plan.name}>`)
    if (plan.throwsBefore) throw new RpcError(`${plan.name} before`)
    let inner: unknown
    if (plan.waits) await new Promise(setImmediate)
    if (plan.calls === 'leaves') void next()
    if (plan.calls === 'waits') inner = await next()
    if (plan.calls === 'catches') await next().catch(() => {})
    if (plan.calls === 'refuses') void next(new RpcError(`${plan.name} refuses`))
    if (plan.calls === 'waits' || plan.calls === 'catches') order.push(`<${plan.name}`)
    if (plan.throwsAfter) throw new RpcError(`${plan.name} after`)
    const returned = { nothing: undefined, own: plan.name, inner, false: false }
    return returned[plan.returns]
  }
}

function randomPlans(random: Random): Plan[] {
  return Array.from({ length: random.number(5) }, (_, index) => ({
    name: String(index),
    waits: random.number(3) === 0,
    throwsBefore: random.number(12) === 0,
    calls: random.pick(['waits', 'waits', 'waits', 'leaves', 'catches', 'not', 'refuses'] as const),
    throwsAfter: random.number(12) === 0,
    returns: random.pick(['nothing', 'inner', 'own', 'false'] as const),
  }))
}

describe('MiddlewareRun', () => {
  for (const givesAnswer of [true, false]) {
    const what = givesAnswer ? 'whose steps answer' : 'that only next() allows'
    it(`ends a request ${what} as the model says, whatever the steps do`, async () => {
      for (let seed = 1; seed <= 1000; seed += 1) {
        const random = new Random(seed)
        const plans = randomPlans(random)
        const core: Outcome = random.number(4) === 0 ? { error: 'core' } : { value: 'core' }
        const [expected, order]: [string[], string[]] = [[], []]
        const outcome = model(plans, core, givesAnswer, expected)
        const run = new MiddlewareRun(
          plans.map((plan) => stepOf(plan, order)),
          {},
          {
            givesAnswer,
            timeouts: createTimeouts(),
            skipped: () => new RpcError('forbidden'),
            misused: () => {},
            innermost: async () => {
              order.push('core')
              if ('error' in core) throw new RpcError(core.error)
              return core.value
            },
          },
        )
        const result = await run.start().then(
          (value) => ({ value }),
          (error: RpcError) => ({ error: error.code }),
        )
        const hint = `seed ${seed}: ${JSON.stringify(plans)}`
        expect(result, hint).to.deep.equal(outcome)
        // A step that does not wait may answer while the rest goes on.
        const isStrict = plans.every(({ calls }) => calls !== 'leaves')
        if (isStrict) expect(order, hint).to.deep.equal(expected)
        const begun = (list: string[]) => list.filter((one) => one.endsWith('>'))
        if (!givesAnswer) expect(begun(order), hint).to.deep.equal(begun(expected))
      }
    })
  }

  it('lets a request go on only through every step', async () => {
    let runs = 0
    const steps: Step<object>[] = [(_context, next) => next(), () => true, (_context, next) => next()]
    const run = new MiddlewareRun(
      steps,
      {},
      {
        givesAnswer: false,
        timeouts: createTimeouts(),
        skipped: () => new RpcError('forbidden'),
        misused: () => {},
        innermost: async () => {
          runs += 1
        },
      },
    )
    expect(await run.start().catch((error: RpcError) => error.code)).to.equal('forbidden')
    expect(runs).to.equal(0)
  })

  const check = () => new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))
  const late: Record<string, (next: Next, after: () => void) => unknown> = {
    'a callback of a promise': (next, after) => void check().then(next).then(after),
    'two callbacks of a promise': (next, after) =>
      void check()
        .then(() => next(), next)
        .then(after),
    'the callback of a failed promise': (next, after) => {
      void check()
        .then(() => Promise.reject(new Error('no')))
        .catch(next)
        .then(after)
    },
    'a timer': (next) => void setImmediate(next),
    'a function of its own': (next, after) => {
      void (async () => {
        await check()
        await next()
        after()
      })()
    },
    'what it finally does': (next, after) =>
      void check()
        .then(() => next().finally(() => {}))
        .then(after),
  }
  for (const [form, step] of Object.entries(late)) {
    for (const givesAnswer of [true, false]) {
      it(`ends no process, and runs nothing, by a late next() in ${form} (${givesAnswer})`, async () => {
        const unhandled: unknown[] = []
        const note = (cause: unknown) => unhandled.push(cause)
        process.on('unhandledRejection', note)
        const misused: Error[] = []
        let runs = 0
        const count = () => {
          runs += 1
        }
        const run = new MiddlewareRun(
          [(_context, next) => step(next, count)],
          {},
          {
            givesAnswer,
            timeouts: createTimeouts(),
            skipped: () => new RpcError('forbidden'),
            misused: (cause) => misused.push(cause),
            innermost: async () => count(),
          },
        )
        expect(await run.start().catch((error: RpcError) => error.code)).to.equal('forbidden')
        await until(() => misused.length > 0)
        for (let turns = 0; turns < 3; turns += 1) await check()
        process.off('unhandledRejection', note)
        expect([unhandled, runs, misused.length]).to.deep.equal([[], 0, 1])
      })
    }
  }

  it('takes no step of a request that is over for one that has skipped next()', async () => {
    let [skips, turns] = [0, 0]
    const options = {
      givesAnswer: true,
      skipped: () => {
        skips += 1
        return new RpcError('forbidden')
      },
      misused: () => {},
      innermost: async () => {},
    }
    const codeOf = (more: { over(): Error } | { timeout: number; late(): Error }) => {
      const step = async () => {
        for (; turns < 5; turns += 1) await new Promise((resolve) => setTimeout(resolve, 1))
      }
      const run = new MiddlewareRun([step], {}, { ...options, timeouts: createTimeouts(), ...more })
      return run.start().catch((error: RpcError) => error.code)
    }
    expect(await codeOf({ over: () => new RpcError('timeout') })).to.equal('timeout')
    turns = 0
    expect(await codeOf({ timeout: 1, late: () => new RpcError('veto_timeout') })).to.equal('veto_timeout')
    await until(() => turns === 5)
    await check()
    expect(skips).to.equal(0)
  })

  it('leaves no timer when it is done', async () => {
    const timeouts = createTimeouts()
    const run = new MiddlewareRun(
      [(_context, next) => next()],
      {},
      {
        givesAnswer: false,
        timeouts,
        timeout: 1000,
        skipped: () => new RpcError('forbidden'),
        misused: () => {},
        innermost: async () => {},
      },
    )
    await run.start()
    expect(timeouts.size).to.equal(0)
  })
})
