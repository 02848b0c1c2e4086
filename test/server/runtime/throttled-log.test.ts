import { expect } from 'chai'
import sinon from 'sinon'
import { ThrottledLog } from '#server/runtime/throttled-log.js'
import { RecordedLog } from '../recorded-log.js'

const MINUTE = 60_000

describe('ThrottledLog', () => {
  let clock: sinon.SinonFakeTimers
  let recorded: RecordedLog
  let log: ThrottledLog

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    recorded = new RecordedLog()
    log = new ThrottledLog(recorded)
  })

  afterEach(() => sinon.restore())

  const refuse = (id: number, kind = 'origin') => log.write(kind, ['warn', { id }, 'refused'])
  const lines = () => recorded.lines.map(({ level, details, message }) => [level, details, message])

  it('writes the first of a kind at once', () => {
    refuse(1)
    expect(lines()).to.deep.equal([['warn', { id: 1 }, 'refused']])
  })

  it('writes the others of a minute as one line, with the last one’s details and how many there were', () => {
    for (let id = 1; id <= 1000; id += 1) refuse(id)
    expect(recorded.lines).to.have.length(1)
    clock.tick(MINUTE)
    expect(lines().slice(1)).to.deep.equal([['warn', { id: 1000, repeated: 999 }, 'refused']])
  })

  it('goes on counting while a kind goes on, one line a minute', () => {
    for (let id = 1; id <= 180; id += 1) {
      refuse(id)
      clock.tick(1000)
    }
    expect(recorded.lines).to.have.length(4)
    const counts = recorded.lines.map(({ details }) => details.repeated ?? 1)
    expect(counts.reduce((sum: number, count) => sum + Number(count), 0)).to.equal(180)
  })

  it('writes the next at once after a minute without any', () => {
    refuse(1)
    clock.tick(MINUTE)
    refuse(2)
    expect(lines()).to.have.length(2)
    expect(clock.countTimers()).to.equal(1)
  })

  it('counts the levels apart: no number of warnings hides an error', () => {
    for (let kind = 0; kind < 10_000; kind += 1) refuse(kind, `kind ${kind}`)
    log.write('failure', ['error', { id: 1 }, 'threw'])
    expect(lines().at(-1)).to.deep.equal(['error', { id: 1 }, 'threw'])
  })

  it('counts 20 subjects of a kind apart, and hides no other kind', () => {
    for (let id = 0; id < 10_000; id += 1) log.write('late', ['warn', { id }, 'late'], `f${id}`)
    expect(recorded.lines).to.have.length(21)
    refuse(1)
    expect(lines().at(-1)).to.deep.equal(['warn', { id: 1 }, 'refused'])
    clock.tick(MINUTE)
    expect(lines()).to.deep.include(['warn', { id: 9999, repeated: 9979 }, 'late'])
  })

  it('counts subjects and kinds anew once they have been quiet', () => {
    const write = (id: number) => log.write('late', ['warn', { id }, 'late'], `f${id}`)
    for (let id = 0; id < 20; id += 1) write(id)
    clock.tick(MINUTE)
    for (let id = 100; id < 120; id += 1) write(id)
    expect(recorded.lines).to.have.length(40)
  })

  it('keeps only the beginning of a subject', () => {
    const text = 'x'.repeat(300_000)
    for (let id = 0; id < 100; id += 1) log.write('late', ['warn', { id }, 'late'], `${text}${id}`)
    expect(recorded.lines).to.have.length(1)
  })

  it('counts kinds apart, but only 200 of them', () => {
    for (let kind = 0; kind < 10_000; kind += 1) refuse(kind, `kind ${kind}`)
    expect(recorded.lines).to.have.length(201)
    expect(clock.countTimers()).to.equal(201)
    clock.tick(MINUTE)
    expect(recorded.lines.at(-1)?.details).to.deep.equal({ id: 9999, repeated: 9799 })
  })

  it('writes the counts when it is closed, and keeps no timer', () => {
    for (const id of [1, 2, 3]) refuse(id)
    log.close()
    expect(lines()).to.deep.equal([
      ['warn', { id: 1 }, 'refused'],
      ['warn', { id: 3, repeated: 2 }, 'refused'],
    ])
    expect(clock.countTimers()).to.equal(0)
  })
})
