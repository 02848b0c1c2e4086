import { NAME_LIMITS } from '@token-socket/protocol'
import { newEpoch } from '@token-socket/server'
import { expect } from 'chai'
import sinon from 'sinon'
import { secretKey, Tokens } from '#server/authentication/tokens.js'
import { PositionProofs } from '#server/channels/position-proofs.js'

const DAY = 24 * 60 * 60 * 1000

describe('PositionProofs', () => {
  const secrets = (secret: string) =>
    new Tokens({ keys: secretKey(secret), audience: 'a', ttl: 1000 }).secrets('position proof')
  const proofs = new PositionProofs(secrets('one'))
  const ann = { channel: 'room', user: 'uid:ann' }
  const at = (offset: number, epoch = 'e.1') => ({ epoch, offset })
  let clock: sinon.SinonFakeTimers

  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 1_700_000_000_000, toFake: ['Date'] })
  })

  afterEach(() => clock.restore())

  it('prove the position that they were issued for, and all after it', () => {
    const proof = proofs.issue(ann, at(7))
    for (const offset of [7, 8, 1_000_000]) expect(proofs.verify(ann, proof, at(offset))).to.equal(true)
    for (const offset of [0, 6]) expect(proofs.verify(ann, proof, at(offset))).to.equal(false)
  })

  it('are good for one user on one channel in one epoch', () => {
    const proof = proofs.issue(ann, at(7))
    expect(proofs.verify({ ...ann, user: 'uid:ben' }, proof, at(7))).to.equal(false)
    expect(proofs.verify({ ...ann, user: undefined }, proof, at(7))).to.equal(false)
    expect(proofs.verify({ ...ann, channel: 'hall' }, proof, at(7))).to.equal(false)
    expect(proofs.verify(ann, proof, at(7, 'e.2'))).to.equal(false)
    const [, , , ...epoch] = proof.split('.')
    expect(epoch.join('.')).to.equal('e.1')
    expect(proofs.verify(ann, proof.replace(/e\.1$/, 'e.2'), at(7, 'e.2'))).to.equal(false)
  })

  it('keep names apart that read alike when they are put together', () => {
    const pairs = [
      { channel: 'a', user: 'b' },
      { channel: 'ab', user: '' },
      { channel: 'a"', user: ',"b' },
      { channel: 'a","b', user: '' },
    ]
    for (const one of pairs)
      for (const other of pairs)
        expect(proofs.verify(other, proofs.issue(one, at(1)), at(1))).to.equal(one === other)
  })

  it('of a channel that kept nothing are good in the epoch that its first publication began', () => {
    const [empty, first, later] = [0, 5000, 2 * DAY].map((time) => newEpoch('store', Date.now() + time))
    const other = newEpoch('other', Date.now())
    const proof = proofs.issue(ann, at(0, empty))
    expect(proofs.verify(ann, proof, at(3, first))).to.equal(true)
    for (const epoch of [later, other]) expect(proofs.verify(ann, proof, at(3, epoch))).to.equal(false)
    expect(proofs.verify(ann, proofs.issue(ann, at(1, empty)), at(3, first))).to.equal(false)
  })

  it('are good for 24 hours', () => {
    const proof = proofs.issue(ann, at(7))
    clock.tick(DAY)
    expect(proofs.verify(ann, proof, at(7))).to.equal(true)
    clock.tick(1)
    expect(proofs.verify(ann, proof, at(7))).to.equal(false)
  })

  it('cannot be made, or changed in any place, without the secret', () => {
    const proof = proofs.issue(ann, at(7))
    const forged = new PositionProofs(secrets('other')).issue(ann, at(0))
    const changed = [...proof].map((letter, index) => {
      return proof.slice(0, index) + (letter === 'a' ? 'b' : 'a') + proof.slice(index + 1)
    })
    const garbage = [
      '',
      '.',
      '...',
      'x',
      '0.0.a.e.1',
      '0'.repeat(300),
      '\u0000',
      '😀'.repeat(60),
      `${proof}x`,
      `x${proof}`,
    ]
    for (const text of [forged, ...changed, ...garbage])
      expect(proofs.verify(ann, text, at(7)), text).to.equal(false)
  })

  it('of keys before stay good while these can sign, and the new key signs', () => {
    const [one, two] = [secrets('one'), secrets('two')]
    const before = new PositionProofs(one)
    const rotated = new PositionProofs([...two, ...one])
    expect(rotated.verify(ann, before.issue(ann, at(7)), at(7))).to.equal(true)
    expect(before.verify(ann, rotated.issue(ann, at(7)), at(7))).to.equal(false)
  })

  it('fit into their field of the wire, however long the names are', () => {
    const proof = proofs.issue(
      { channel: '😀'.repeat(128), user: 'u'.repeat(200) },
      at(Number.MAX_SAFE_INTEGER, 'e'.repeat(NAME_LIMITS.epoch)),
    )
    expect(proof.length).to.be.at.most(NAME_LIMITS.proof)
    expect(proofs.verify(ann, proof, at(7))).to.equal(false)
  })

  it('of nodes with the same keys are the same; a secret of one purpose is not that of another', () => {
    const tokens = new Tokens({ keys: secretKey('one'), audience: 'a', ttl: 1000 })
    expect(tokens.secrets('position proof')).to.deep.equal(secrets('one'))
    expect(tokens.secrets('else')).not.to.deep.equal(secrets('one'))
    expect(tokens.secrets('position proof')[0]).to.have.length(32)
  })
})
