import { IDEMPOTENCY } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import {
  type OwnerRecord,
  type ReceiptName,
  type ReceiptRecord,
  Receipts,
  type Table,
} from '#lmdb/receipts.js'

/** A table in memory, in the order of the texts of its keys. */
class TestTable<Value, Key> implements Table<Value, Key> {
  readonly rows = new Map<string, { readonly key: Key; readonly value: Value }>()

  get(key: Key): Value | undefined {
    return this.rows.get(JSON.stringify(key))?.value
  }

  put(key: Key, value: Value): void {
    this.rows.set(JSON.stringify(key), { key, value })
  }

  remove(key: Key): void {
    this.rows.delete(JSON.stringify(key))
  }

  getRange({ start, limit }: { readonly start?: Key; readonly limit: number }) {
    const after = start === undefined ? '' : JSON.stringify(start)
    const names = [...this.rows.keys()].sort().filter((name) => name > after)
    return names.slice(0, limit).flatMap((name) => this.rows.get(name) ?? [])
  }
}

describe('Receipts', () => {
  const make = () => {
    const tables = {
      receipts: new TestTable<ReceiptRecord, ReceiptName>(),
      owners: new TestTable<OwnerRecord, string>(),
      owned: new TestTable<ReceiptName, [owner: string, number: number]>(),
    }
    const receipts = new Receipts(tables, () => tables.receipts.rows.size)
    const put = (key: string, keyOwner?: string) =>
      receipts.put('c', { idempotencyKey: key, keyOwner }, { id: key })
    const sizes = () => Object.values(tables).map(({ rows }) => rows.size)
    return { receipts, put, sizes }
  }
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['Date'] })
  })

  afterEach(() => clock.restore())

  it('sweep as long as there is much to take away, and leave nothing behind', () => {
    const { receipts, put, sizes } = make()
    for (let number = 0; number < 3000; number += 1) put(`key ${number}`, `owner ${number % 7}`)
    for (let number = 0; number < 2000; number += 1) put(`own ${number}`)
    receipts.claim('token', 1000)
    clock.tick(IDEMPOTENCY.ttl)
    let parts = 0
    while (receipts.sweep(Date.now())) parts += 1
    expect(parts).to.be.within(9, 30)
    for (let more = 0; more < 20; more += 1) receipts.sweep(Date.now())
    expect(sizes()).to.deep.equal([0, 0, 0])
  })

  it('look at all keys within their life, also where most live on', () => {
    const { receipts, put, sizes } = make()
    const keys = 20_000
    for (let number = 0; number < keys; number += 1) receipts.claim(`token ${number}`, 3_600_000)
    put('over')
    clock.tick(IDEMPOTENCY.ttl)
    for (let second = 0; second < 300 && sizes()[0] !== keys; second += 10) {
      clock.tick(10_000)
      for (let part = 0; part < 20 && receipts.sweep(Date.now()); part += 1);
    }
    expect(sizes()[0]).to.equal(keys)
  })

  it('do not sweep what is not over, and say that there is no more', () => {
    const { receipts, put, sizes } = make()
    for (let number = 0; number < 900; number += 1) put(`key ${number}`, 'ann')
    expect([receipts.sweep(Date.now()), receipts.sweep(Date.now())]).to.deep.equal([false, false])
    expect(sizes()).to.deep.equal([900, 1, 900])
  })

  it('keep a key that came again after its time, when its first number is swept', () => {
    const { receipts, put } = make()
    put('key', 'ann')
    clock.tick(IDEMPOTENCY.ttl)
    put('key', 'ann')
    receipts.sweep(Date.now())
    expect(receipts.get('c', 'key')).to.deep.equal({ id: 'key' })
    for (let number = 1; number < IDEMPOTENCY.keysPerOwner; number += 1) put(`${number}`, 'ann')
    expect(receipts.get('c', 'key')).to.deep.equal({ id: 'key' })
    put('one more', 'ann')
    expect(receipts.get('c', 'key')).to.equal(undefined)
  })
})
