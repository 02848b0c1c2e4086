import {
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  FrameError,
} from '@token-socket/protocol'
import { expect } from 'chai'
import { Random } from './random.js'

describe('codec, given random input', () => {
  // Another seed each time; set FUZZ_SEED to the one in the title of a failure to repeat it.
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
  const rounds = 2_000

  describe(`FUZZ_SEED=${seed}`, () => {
    it('decodes what it encodes, for messages of the client', () => {
      const random = new Random(seed)
      for (let round = 0; round < rounds; round += 1) {
        const message = random.clientMessage()
        expect(decodeClientMessage(encodeClientMessage(message))).to.deep.equal(message)
      }
    })

    it('decodes what it encodes, for messages of the server', () => {
      const random = new Random(seed)
      for (let round = 0; round < rounds; round += 1) {
        const message = random.serverMessage()
        expect(decodeServerMessage(encodeServerMessage(message))).to.deep.equal(message)
      }
    })

    it('encodes each message on one line', () => {
      const random = new Random(seed)
      for (let round = 0; round < rounds; round += 1) {
        expect(encodeClientMessage(random.clientMessage())).not.to.match(/[\r\n]/)
        expect(encodeServerMessage(random.serverMessage())).not.to.match(/[\r\n]/)
      }
    })

    for (const decode of [decodeClientMessage, decodeServerMessage]) {
      const check = (input: unknown): boolean => {
        try {
          expect(decode(input)).to.have.property('type').that.is.a('string')
          return true
        } catch (error) {
          if (!(error instanceof FrameError)) throw new Error(`for ${String(input)}`, { cause: error })
          expect(error.error.code).to.be.oneOf(['bad_message', 'too_long'])
          return false
        }
      }

      it(`#${decode.name} throws nothing but FrameError for objects of the wire’s fields`, () => {
        const random = new Random(seed)
        let good = 0
        for (let round = 0; round < rounds; round += 1)
          good += Number(check(JSON.stringify(random.object(6, 2))))
        expect(good).to.be.within(1, rounds - 1)
      })

      it(`#${decode.name} throws nothing but FrameError for damaged frames`, () => {
        const random = new Random(seed)
        let good = 0
        for (let round = 0; round < rounds; round += 1) {
          const text = random.pick([
            encodeClientMessage(random.clientMessage()),
            encodeServerMessage(random.serverMessage()),
          ])
          good += Number(check(random.damage(text)))
        }
        expect(good).to.be.within(1, rounds - 1)
      })

      it(`#${decode.name} throws nothing but FrameError for values that are no text`, () => {
        const random = new Random(seed)
        for (let round = 0; round < rounds; round += 1) check(random.json())
      })
    }
  })
})
