import { type Controller, findAction } from '@token-socket/protocol'
import { expect } from 'chai'

const action = () => 'called'

class Orders {
  readonly own = action
  inherited(): string {
    return 'inherited'
  }
  static create(): string {
    return 'static'
  }
}

describe('controller', () => {
  describe('#findAction', () => {
    const orders = new Orders() as unknown as Controller
    const controller: Controller = {
      action,
      _private: action,
      'with space': action,
      é: action,
      nested: { action, deeper: { action } },
      orders,
      list: [action] as unknown as Controller,
      '': { '': action },
    }

    for (const name of [
      'action',
      '_private',
      'with space',
      'é',
      'nested.action',
      'nested.deeper.action',
      'orders.own',
      'list.0',
      '.',
    ]) {
      it(`finds ${JSON.stringify(name)}`, () => expect(findAction(controller, name)).to.equal(action))
    }

    for (const name of [
      '',
      'Action',
      'missing',
      'missing.action',
      'nested',
      'nested.',
      '.nested',
      'nested..action',
      'nested.missing',
      'nested.missing.action',
      'action.action',
      'list.1',
      'list.length',
      'list.push',
      'orders.inherited',
      'orders.constructor',
      'orders.constructor.create',
    ]) {
      it(`does not find ${JSON.stringify(name)}`, () =>
        expect(findAction(controller, name)).to.equal(undefined))
    }

    for (const name of Object.getOwnPropertyNames(Object.prototype)) {
      it(`does not find ${name}, which objects inherit`, () => {
        expect(findAction(controller, name)).to.equal(undefined)
        expect(findAction(controller, `nested.${name}`)).to.equal(undefined)
        expect(findAction(controller, `${name}.call`)).to.equal(undefined)
      })
    }

    for (const name of ['length', 'name', 'prototype', 'call', 'apply', 'bind', 'constructor', 'toString']) {
      it(`does not find ${name} of a function`, () => {
        expect(findAction(controller, `action.${name}`)).to.equal(undefined)
        expect(findAction(controller, `action.${name}.call`)).to.equal(undefined)
      })
    }

    it('does not find a function that a function carries', () => {
      const carrier = Object.assign(() => {}, { inner: action })
      expect(findAction({ carrier }, 'carrier.inner')).to.equal(undefined)
    })

    for (const value of [undefined, null, 1, 'text', true, Symbol('s')]) {
      it(`does not find ${String(value)}`, () => {
        const tree = { value } as unknown as Controller
        expect(findAction(tree, 'value')).to.equal(undefined)
        expect(findAction(tree, 'value.length')).to.equal(undefined)
        expect(findAction(tree, 'value.toString')).to.equal(undefined)
      })
    }

    it('finds a `__proto__` that is the controller’s own', () => {
      const tree: Controller = Object.defineProperty({}, '__proto__', { value: { action } })
      expect(findAction(tree, '__proto__.action')).to.equal(action)
    })

    it('finds actions of objects without a prototype', () => {
      const tree = Object.assign(Object.create(null), { action }) as Controller
      expect(findAction(tree, 'action')).to.equal(action)
      expect(findAction(tree, 'toString')).to.equal(undefined)
    })

    describe('in instances of classes', () => {
      class Pool {
        readonly query = action
        readonly config = { onError: action }
        readonly inner = { pool: new Orders() }
      }
      class Users {
        readonly list = action
        readonly db = new Pool()
        readonly plain = { get: action, pool: new Pool() }
      }
      const users = new Users() as unknown as Controller

      for (const [what, tree, prefix] of [
        ['the controller itself', users, ''],
        ['a part of it', { users }, 'users.'],
        ['a part of a part', { a: { users } }, 'a.users.'],
      ] as const) {
        it(`finds the functions in the fields of ${what}, also in plain objects`, () => {
          for (const name of ['list', 'plain.get'])
            expect(findAction(tree, prefix + name), name).to.equal(action)
        })

        it(`finds none of an instance in a field of ${what}, at any depth`, () => {
          for (const name of ['db.query', 'db.config.onError', 'plain.pool.query', 'db.inner.pool.own'])
            expect(findAction(tree, prefix + name), name).to.equal(undefined)
        })
      }

      it('takes objects without a prototype, modules and lists for plain ones', () => {
        const bare = Object.assign(Object.create(null), { action })
        const holder = Object.assign(new Orders(), { bare, list: [{ action }] }) as unknown as Controller
        expect(findAction(holder, 'bare.action')).to.equal(action)
        expect(findAction(holder, 'list.0.action')).to.equal(action)
      })
    })

    it('sees what has changed since the last call', () => {
      const tree: Record<string, typeof action> = {}
      expect(findAction(tree, 'late')).to.equal(undefined)
      tree.late = action
      expect(findAction(tree, 'late')).to.equal(action)
      delete tree.late
      expect(findAction(tree, 'late')).to.equal(undefined)
    })
  })
})
