import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import fc from 'fast-check'
import { ChannelNames, type ParameterValues } from '#contract/channel-names.js'

const PATTERNS = [
  'lobby',
  'room-{id}',
  'room-{id}-{seat}',
  'room-lobby',
  '{kind}/{id}',
  '{kind}/{id}/members',
  'user:{id}',
  'user:{id}.mail',
  'räume-{id}ö',
]
const names = new ChannelNames(PATTERNS)

function code(format: () => string): string {
  try {
    return format()
  } catch (error) {
    return RpcError.is(error) ? error.code : 'no RpcError'
  }
}

function parameterNames(pattern: string): string[] {
  return [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
}

describe('ChannelNames', () => {
  it('keeps usual parameters as they are', () => {
    const id = '550e8400-e29b-41d4-a716-446655440000'
    expect(new ChannelNames(['room-{id}']).format('room-{id}', { id })).to.equal(`room-${id}`)
    expect(names.format('lobby')).to.equal('lobby')
    expect(names.format('user:{id}', { id: 7 })).to.equal('user:7')
    expect(names.format('user:{id}', { id: 'a_b~c-d' })).to.equal('user:a_b~c-d')
  })

  it('encodes everything else, and what follows the parameter in the pattern', () => {
    expect(names.format('room-{id}', { id: 'a/b{c}*%' })).to.equal('room-a%2Fb%7Bc%7D%2A%25')
    expect(names.format('room-{id}-{seat}', { id: 'a-b', seat: 'c-d' })).to.equal('room-a%2Db-c-d')
    expect(names.format('user:{id}.mail', { id: 'a.b' })).to.equal('user:a%2Eb.mail')
    expect(names.format('user:{id}', { id: '!\'()*"' })).to.equal('user:%21%27%28%29%2A%22')
  })

  it('refuses what is missing, empty or no text', () => {
    const wrong = [
      {},
      { id: '' },
      { id: null },
      { id: {} },
      { id: Number.NaN },
      { id: 1 / 0 },
      { id: '\ud800' },
    ]
    for (const values of [...wrong, Object.create({ id: 'inherited' })])
      expect(code(() => names.format('room-{id}', values as ParameterValues))).to.equal('bad_message')
    expect(code(() => names.format('room-{no}', {}))).to.equal('bad_message')
    expect(code(() => names.format('toString', {}))).to.equal('bad_message')
  })

  it('refuses names of more than 256 UTF-16 code units, encoded', () => {
    const long = (length: number, text = 'x') => ({ id: text.repeat(length) })
    expect(names.format('room-{id}', long(251))).to.have.length(256)
    for (const values of [long(252), long(300), long(100, '/'), long(1_000_000)])
      expect(code(() => names.format('room-{id}', values))).to.equal('too_long')
  })

  it('refuses parameters that are no object', () => {
    const names = new ChannelNames(['room-{id}'])
    for (const wrong of [null, 'id', 5] as never[])
      expect(() => names.format('room-{id}', wrong)).to.throw('parameters has to be an object')
  })

  it('refuses parameters that make the name of another pattern', () => {
    expect(code(() => names.format('room-{id}', { id: 'lobby' }))).to.equal('bad_message')
    expect(code(() => names.format('room-{id}', { id: '1-2' }))).to.equal('bad_message')
    expect(names.format('{kind}/{id}', { kind: 'a', id: 'b/members' })).to.equal('a/b%2Fmembers')
  })

  it('reads a name as the pattern with the most fixed characters, and of those the first', () => {
    const read = (name: string) => names.parse(name)?.pattern
    expect(read('room-lobby')).to.equal('room-lobby')
    expect(read('room-1')).to.equal('room-{id}')
    expect(read('room-1-2')).to.equal('room-{id}-{seat}')
    expect(read('a/b/members')).to.equal('{kind}/{id}/members')
    expect(new ChannelNames(['{a}-x', 'x-{b}']).parse('x-x')?.pattern).to.equal('{a}-x')
  })

  it('reads no other names', () => {
    for (const name of [
      '',
      'room-',
      'room-a b',
      'room-%61',
      'room-%2f',
      'room-%',
      'room-\ud800',
      'Lobby',
      'a/b/c',
    ])
      expect(names.parse(name), name).to.equal(undefined)
    expect(names.parse(`room-${'ü'.repeat(200)}`)).to.equal(undefined)
  })

  it('reads every name as it was written, and no two ways of writing give one name', () => {
    const value = fc.string({
      unit: fc.constantFrom('a', '1', '-', '/', '.', '{', '}', '%', '2', 'D', 'ö', ':', '😀'),
    })
    const request = fc.constantFrom(...PATTERNS).chain((pattern) =>
      fc.record({
        pattern: fc.constant(pattern),
        parameters: fc.record(Object.fromEntries(parameterNames(pattern).map((name) => [name, value]))),
      }),
    )
    const written = new Map<string, string>()
    fc.assert(
      fc.property(request, ({ pattern, parameters }) => {
        const values = parameters as Record<string, string>
        const name = code(() => names.format(pattern, values))
        if (name === 'bad_message' || name === 'too_long') return
        const parsed = names.parse(name)
        expect({ ...parsed, parameters: { ...parsed?.parameters } }).to.deep.equal({
          pattern,
          parameters: values,
        })
        const key = JSON.stringify([pattern, Object.entries(values).sort()])
        expect(written.get(name) ?? key).to.equal(key)
        written.set(name, key)
      }),
      { numRuns: 2000 },
    )
    expect(written.size).to.be.above(500)
  })

  it('takes time in proportion to the name, whatever it is', () => {
    const many = new ChannelNames(Array.from({ length: 100 }, (_, index) => `{a}-{b}-{c}-{d}-${index}`))
    const start = process.cpuUsage().user
    for (let count = 0; count < 20; count += 1) many.parse('-a'.repeat(128))
    for (let count = 0; count < 20; count += 1) many.parse(`${'a-'.repeat(127)}!`)
    expect(process.cpuUsage().user - start).to.be.below(2_000_000)
  })
})
