/** What outside production is looked at in a controller, which an application may put anything into. */
import { type Controller, findAction } from '@token-socket/protocol'
import { expect } from 'chai'
import { actionNames } from '#server/development/action-names.js'
import { warnOfHiddenInstances } from '#server/development/hidden-instances.js'
import { controllerFields } from '#server/runtime/controller-fields.js'
import { RecordedLog } from '../recorded-log.js'

const f = () => 1

/** An object that counts how often it is asked for anything. */
class Counter {
  count = 0
  readonly handler: ProxyHandler<object> = {
    ownKeys: (target) => this.#counted(Reflect.ownKeys(target)),
    getOwnPropertyDescriptor: (target, name) => this.#counted(Reflect.getOwnPropertyDescriptor(target, name)),
    getPrototypeOf: (target) => this.#counted(Reflect.getPrototypeOf(target)),
  }

  of(target: object): object {
    return new Proxy(target, this.handler)
  }

  #counted<T>(answer: T): T {
    this.count += 1
    return answer
  }
}

/** Many parts, each of them on many paths. */
function shared(counter: Counter, depth: number, width: number): object {
  let part = counter.of({ deep: f })
  for (let level = 0; level < depth; level += 1)
    part = counter.of(Object.fromEntries(Array.from({ length: width }, (_, index) => [`p${index}`, part])))
  return part
}

const HOSTS: Readonly<Record<string, (counter: Counter) => object>> = {
  'with 100,000 rows of data': (counter) => {
    const rows = Array.from({ length: 100_000 }, (_, index) => [`k${index}`, counter.of({ index })])
    return { rows: Object.fromEntries(rows) }
  },
  'with a list of 100,000 rows': (counter) => ({
    rows: Array.from({ length: 100_000 }, (_, index) => counter.of({ index })),
  }),
  'with 5,000 tables': (counter) =>
    Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`t${index}`, counter.of({ a: {}, b: {}, c: {} })]),
    ),
  'with shared parts, 9 levels of 9': (counter) => shared(counter, 9, 9),
  'with a list of 100,000 levels': (counter) => {
    let list: object = {}
    for (let level = 0; level < 100_000; level += 1) list = counter.of({ next: list })
    return list
  },
  'with a megabyte of bytes': () => ({ bytes: Buffer.alloc(1_000_000) }),
}

const WALKS: Readonly<Record<string, (controller: object) => unknown>> = {
  actionNames: (controller) => [...actionNames(controller as Controller)],
  warnOfHiddenInstances: (controller) => warnOfHiddenInstances(new RecordedLog(), controller),
}

describe('the fields of a controller', () => {
  for (const [walk, run] of Object.entries(WALKS)) {
    for (const [what, host] of Object.entries(HOSTS)) {
      it(`are looked at in a bounded number, by ${walk}, ${what}`, () => {
        const counter = new Counter()
        const controller = { pay: f, host: host(counter), late: f }
        counter.count = 0
        run(controller)
        expect(counter.count).to.be.below(50_000)
        expect([...actionNames(controller as never)]).to.include.members(['pay', 'late'])
      })
    }

    it(`harm nothing where ${walk} meets an object that throws`, () => {
      const fail = () => {
        throw new Error('of the test')
      }
      const traps = ['ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'] as const
      for (const trap of traps) run({ pay: f, inner: new Proxy({ a: f }, { [trap]: fail }) })
      run(new Proxy({ a: f }, { ownKeys: fail, getPrototypeOf: fail }))
      run({
        get broken() {
          return fail()
        },
      })
    })
  }

  it('are functions that can be called by the name, on each of their paths, each level before the next', () => {
    class Service {
      readonly run = f
      readonly pool = new Map([['a', f]])
      readonly plain = { inner: f }
    }
    const api = { pay: f, deep: { list: f } }
    const controller = { v1: api, latest: api, service: new Service(), ping: f, self: {} }
    controller.self = controller
    const names = [...actionNames(controller as never)]
    expect(names).to.deep.equal([
      'ping',
      'v1.pay',
      'latest.pay',
      'service.run',
      'v1.deep.list',
      'latest.deep.list',
      'service.plain.inner',
    ])
    for (const name of names) expect(findAction(controller as never, name)).to.equal(f)
  })

  it('name no instance twice, and not the fields of one inside another', () => {
    class Pool {
      readonly query = f
    }
    class Users {
      readonly pool = new Pool()
    }
    expect([...controllerFields(new Users())].map(({ path }) => path.join('.'))).to.deep.equal(['pool'])
  })
})
