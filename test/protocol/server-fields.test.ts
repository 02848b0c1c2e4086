import { expect } from 'chai'
import * as fields from '#protocol/server-fields.js'
import * as shortFields from '#protocol/short-server-fields.js'

const SESSION = {
  version: 2,
  heartbeat: 25_000,
  can: ['cancel', 'another'],
  limits: { message: 1000, batch: 2000 },
  expiresIn: 60_000,
}
const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

for (const [form, read] of Object.entries({ usual: fields, short: shortFields })) {
  describe(`the fields of a server, in the ${form} form`, () => {
    it('are read as the server sends them', () => {
      expect(read.readServerFields(SESSION)).to.deep.equal({ ...SESSION, can: ['cancel'] })
      expect(read.readRecovery({ recovered: false, reason: 'trimmed' })).to.deep.equal({
        recovered: false,
        reason: 'trimmed',
      })
      expect(read.readChange({ change: 'left' })).to.equal('left')
      expect(read.readLifetime({ expiresIn: 5000 })).to.deep.equal({ expiresIn: 5000 })
      expect(read.readPublicationId({ id: ID })).to.deep.equal({ id: ID })
    })

    it('may be absent', () => {
      const { heartbeat, can, limits } = read.readServerFields({})
      expect([heartbeat, can, limits]).to.deep.equal([undefined, undefined, undefined])
      const { recovered, reason } = read.readRecovery({})
      expect([recovered, reason]).to.deep.equal([undefined, undefined])
      expect(read.readPublicationId({})).to.deep.equal({})
    })
  })
}

describe('the usual form', () => {
  for (const [name, frame] of Object.entries({
    'a heartbeat of 0': { heartbeat: 0 },
    'a limit that is a text': { limits: { message: '1000' } },
    'a version of 0': { version: 0 },
  }))
    it(`refuses ${name}`, () => expect(() => fields.readServerFields(frame)).to.throw())

  it('refuses a change of a member that is not known', () =>
    expect(() => fields.readChange({ change: 'came' })).to.throw())

  it('refuses an id that is none', () => expect(() => fields.readPublicationId({ id: 'first' })).to.throw())
})
