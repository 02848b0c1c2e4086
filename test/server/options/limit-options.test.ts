import { readFileSync } from 'node:fs'
import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import {
  type LimitOptions,
  limitSettings,
  PRESET_LIMITS,
  resolveLimits,
} from '#server/options/limit-options.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { thrownBy } from '../../protocol/rejection.js'

/** The rows of docs/LIMITS.md that say what a preset sets: by preset, its concurrent requests and messages a second. */
const document = readFileSync(new URL('../../../docs/LIMITS.md', import.meta.url), 'utf8')
const rows = [...document.matchAll(/^\| `'(\w+)'` \| ([\d,]+) \| ([\d,]+) \|/gm)].map(
  ([, name = '', ...numbers]) => {
    const [burst = 0, rate = 0] = numbers.map((number) => Number(number.replaceAll(',', '')))
    return { name, burst, rate }
  },
)

describe('the option limits', () => {
  const resolve = (option: unknown) => resolveLimits(limitSettings(option as LimitOptions))
  const refused = (option: unknown) => {
    const error = thrownBy(() => resolve(option)) as RpcError
    expect([RpcError.is(error), error.code]).to.deep.equal([true, 'bad_option'])
    return [(error.data as { field: string }).field, error.message]
  }

  it('is the defaults, where nothing is set', () => {
    for (const option of [undefined, {}, { preset: undefined }])
      expect(resolve(option)).to.deep.equal(DEFAULT_LIMITS)
  })

  it('has a row in the document for each preset', () => {
    expect(rows.map(({ name }) => name)).to.deep.equal(['sandbox', 'preview', 'stage'])
  })

  for (const { name, burst, rate } of rows) {
    const expected = {
      callsIn: burst,
      messagesPerSecond: rate,
      messagesBurst: burst,
      userMessagesPerSecond: rate,
      userMessagesBurst: burst,
    }

    it(`${name} sets what the document says, and nothing else`, () => {
      expect(resolve(name)).to.deep.equal({ ...DEFAULT_LIMITS, ...expected })
      expect(resolve({ preset: name })).to.deep.equal(resolve(name))
      expect(Object.keys(expected)).to.deep.equal([...PRESET_LIMITS])
    })

    it(`${name} leaves what the application sets beside it`, () => {
      const own = { callsIn: 7, outbox: 5, messagesBurst: undefined }
      expect(resolve({ preset: name, ...own })).to.deep.equal({
        ...DEFAULT_LIMITS,
        ...expected,
        callsIn: 7,
        outbox: 5,
      })
    })
  }

  it('has the burst of a second for a rate of the application’s own, unless that is set, too', () => {
    expect(resolve({ messagesPerSecond: 3 })).to.include({ messagesPerSecond: 3, messagesBurst: 3 })
    expect(resolve({ preset: 'sandbox', userMessagesPerSecond: 3 })).to.include({
      userMessagesBurst: 3,
      messagesBurst: 10,
    })
    expect(resolve({ messagesPerSecond: 3, messagesBurst: 9 })).to.include({ messagesBurst: 9 })
  })

  for (const [option, field] of [
    ['production', 'limits'],
    ['', 'limits'],
    ['Sandbox', 'limits'],
    ['constructor', 'limits'],
    [null, 'limits'],
    [5, 'limits'],
    [[], 'limits'],
    [{ preset: 'dev' }, 'limits.preset'],
    [{ preset: null }, 'limits.preset'],
    [{ preset: '__proto__' }, 'limits.preset'],
  ] as const)
    it(`refuses ${JSON.stringify(option)}, and names the presets`, () => {
      const [name, message] = refused(option)
      expect(name).to.equal(field)
      expect(message).to.include('"sandbox", "preview" or "stage"')
    })

  it('refuses a wrong limit beside a preset', () => {
    expect(refused({ preset: 'stage', callsIn: 0 })[0]).to.equal('limits.callsIn')
    expect(refused({ preset: 'stage', messagesBurst: null })[0]).to.equal('limits.messagesBurst')
  })
})
