import { MemoryPresence, type PresenceEvent } from '@token-socket/server'
import { expect } from 'chai'
import { ChannelPresence } from '#server/channels/presence.js'
import { followingChanges, mergeChanges } from '#server/channels/presence-changes.js'
import { makeSocket } from './sockets.js'

/** A change as a word: `joined u 1`. */
const read = (word: string, index: number): PresenceEvent => {
  const [change, uid, umd] = word.split(' ') as [PresenceEvent['change'], string, string?]
  return { channel: 'a', change, uid, ...(umd && { umd }), seq: index + 1, epoch: 'e' }
}
const write = ({ change, uid, umd }: PresenceEvent) => [change, uid, umd].filter(Boolean).join(' ')

describe('mergeChanges', () => {
  const cases: Readonly<Record<string, readonly [turn: readonly string[], told: readonly string[]]>> = {
    'one change as it is': [['updated u 1'], ['updated u 1']],
    'nothing of a member that comes and goes': [['joined u', 'left u'], []],
    'nothing of one that comes and goes again and again': [
      ['joined u', 'left u', 'joined u 2', 'left u 2'],
      [],
    ],
    'nothing of one that goes and comes back as it was': [['left u 1', 'joined u 1'], []],
    'an update of one that comes back changed': [['left u 1', 'joined u 2'], ['updated u 2']],
    'the last of many updates': [['updated u 1', 'updated u 2', 'updated u 3'], ['updated u 3']],
    'a join with what it was updated to': [['joined u 1', 'updated u 2'], ['joined u 2']],
    'a leave after updates': [['updated u 1', 'left u 1'], ['left u 1']],
    'an update of one that was updated, went and came back': [
      ['updated u 1', 'left u 1', 'joined u 1'],
      ['updated u 1'],
    ],
    'each member for itself, in the order of the last changes': [
      ['joined u', 'joined v', 'updated u 1', 'left w', 'left v'],
      ['joined u 1', 'left w'],
    ],
    'a uid that an object would inherit': [
      ['joined __proto__', 'updated __proto__ 1'],
      ['joined __proto__ 1'],
    ],
  }
  for (const [name, [turn, told]] of Object.entries(cases)) {
    it(`gives ${name}`, () => {
      expect(mergeChanges(turn.map(read)).map(write)).to.deep.equal(told)
    })
  }
})

describe('followingChanges', () => {
  it('splits where a change is missing, and where an epoch begins', () => {
    const events = [1, 2, 4, 5].map((seq) => ({ ...read('updated u', seq - 1) }))
    const runs = followingChanges([...events, { ...read('joined v', 0), epoch: 'f' }], write)
    expect(runs.map(({ first, last }) => [first.seq, last.seq, last.epoch])).to.deep.equal([
      [1, 2, 'e'],
      [4, 5, 'e'],
      [1, 1, 'f'],
    ])
  })

  it('gives what a socket does not know yet, encoded once for those that know nothing of it', () => {
    let encoded = 0
    const count = (event: PresenceEvent) => {
      encoded += 1
      return write(event)
    }
    const [changes] = followingChanges(['joined u', 'joined v', 'left u'].map(read), count)
    expect(changes?.framesAfter(0)).to.deep.equal(['joined v'])
    expect(changes?.framesAfter(0)).to.equal(changes?.framesAfter(0))
    expect(encoded).to.equal(1)
    expect(changes?.framesAfter(1)).to.deep.equal(['joined v', 'left u'])
    expect(changes?.framesAfter(2)).to.deep.equal(['left u'])
  })
})

describe('what a member is told of changes at random', () => {
  /** Numbers that are the same in each run. */
  function randomFrom(seed: number): (below: number) => number {
    let state = seed
    return (below) => {
      state = (state * 1103515245 + 12345) % 2 ** 31
      return Math.floor((state / 2 ** 31) * below)
    }
  }

  /** What a client makes of the frames; throws where one does not fit what it knows. */
  class Roll {
    readonly members = new Map<string, unknown>()

    hear(frame: { data: { members?: Member[]; change?: string; uid?: string; umd?: unknown } }): void {
      const { members, change, uid = '', umd } = frame.data
      if (members) {
        this.members.clear()
        for (const one of members) this.members.set(one.uid, one.umd)
        return
      }
      expect(this.members.has(uid), `${change} ${uid}`).to.equal(change !== 'joined')
      if (change === 'left') this.members.delete(uid)
      else this.members.set(uid, umd)
    }
  }
  interface Member {
    readonly uid: string
    readonly umd?: unknown
  }

  for (let seed = 1; seed <= 20; seed += 1) {
    it(`is consistent, one frame at most for each member and turn, and ends as it is (${seed})`, async () => {
      const random = randomFrom(seed)
      const engine = new MemoryPresence((event) => presence.hear(event))
      const presence: ChannelPresence = new ChannelPresence({
        presence: engine,
        policy: { hasPresence: () => true },
        limits: { members: 100, presencesPerUser: 10, presenceRate: 20 },
        presenceGrace: 0,
        failed: (cause) => {
          throw cause
        },
      })
      const claims = { uid: 'me', umd: undefined, channels: undefined }
      const { socket, frames, connection } = makeSocket({ identity: { claims } })
      const roll = new Roll()
      const arrival = await presence.enter(socket, 'a', () => true)
      roll.hear({ data: { members: [...(arrival?.members ?? [])] } })
      arrival?.follow()
      for (let turn = 0; turn < 50; turn += 1) {
        for (let changes = random(8); changes > 0; changes -= 1) {
          const entry = { channel: 'a', uid: `u${random(4)}`, sid: `s${random(2)}` }
          if (random(2) === 0) await engine.leave(entry, 0)
          else await engine.enter({ ...entry, umd: String(random(3)) }, 100)
        }
        presence.flush()
        const told = frames() as Parameters<Roll['hear']>[0][]
        connection.sent.length = 0
        for (const frame of told) roll.hear(frame)
        expect(new Set(told.map(({ data }) => data.uid)).size).to.equal(told.length)
        const now = (await presence.members('a')).map(({ uid, umd }) => [uid, umd])
        expect([...roll.members].sort()).to.deep.equal(now.sort())
      }
      engine.clear()
    })
  }
})
