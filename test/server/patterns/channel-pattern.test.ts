import { expect } from 'chai'
import { ChannelPattern, PATTERN_LIMITS, PatternError } from '#server/patterns/channel-pattern.js'
import { thrownBy } from '../../protocol/rejection.js'

const matches = (pattern: string, name: string) => ChannelPattern.parse(pattern).matches(name)

/** What `*` means, said in the plainest way: a row of what each piece of the pattern can reach. */
function reference(pattern: string, name: string): boolean {
  let reached = new Set([0])
  for (const character of pattern) {
    const next = new Set<number>()
    for (const at of reached) {
      if (character !== '*' && name[at] === character) next.add(at + 1)
      if (character === '*') for (let to = at; to <= name.length; to += 1) next.add(to)
    }
    reached = next
  }
  return reached.has(name.length)
}

/** Every text of up to `length` of these characters. */
function textsOf(characters: string, length: number): string[] {
  if (length === 0) return ['']
  const shorter = textsOf(characters, length - 1)
  const longest = shorter.filter((text) => text.length === length - 1)
  return [...shorter, ...longest.flatMap((text) => [...characters].map((one) => text + one))]
}

describe('ChannelPattern', () => {
  describe('of one name', () => {
    const names = [
      'chat',
      'a.b+c',
      '{a,b}',
      '[ab]',
      'a?',
      '(a)',
      '^a$',
      'a|b',
      '\\d',
      '#regex',
      '#Regex:a',
      '😀',
      'é',
    ]
    for (const name of names) {
      it(`means ${name} and nothing else`, () => {
        expect(ChannelPattern.parse(name).isExact).to.equal(true)
        expect(matches(name, name)).to.equal(true)
        for (const other of [`${name}x`, `x${name}`, '', 'a', 'ab', 'a.bbc', '1']) {
          expect(matches(name, other), other).to.equal(false)
        }
      })
    }

    it('tells upper from lower case, and the same letter in other code points', () => {
      expect(matches('Chat', 'chat')).to.equal(false)
      expect(matches('\u00e9', 'e\u0301')).to.equal(false)
    })
  })

  describe('with *', () => {
    const cases: [pattern: string, meant: string[], others: string[]][] = [
      ['*', ['', 'a', '😀', 'a\nb', '*', '__proto__'], []],
      ['chat-*', ['chat-', 'chat-1', 'chat-a\nb'], ['chat', 'xchat-1', 'Chat-1']],
      ['*-chat', ['-chat', 'a-chat'], ['chat', 'a-chatx']],
      ['a*a', ['aa', 'aba', 'aaa'], ['a', 'ab', 'ba']],
      ['a*b*c', ['abc', 'a1b2c', 'abbcc'], ['ac', 'acb', 'bac']],
      ['ab*ba', ['abba', 'ab-ba'], ['aba']],
      ['*ab*ab*', ['abab', 'xababx'], ['ab', 'aba']],
      ['a**b', ['ab', 'a*b', 'axb'], ['a']],
      ['a.*', ['a.', 'a.b'], ['ab', 'axb']],
      ['{a,b}*', ['{a,b}', '{a,b}c'], ['a', 'b', 'ac']],
      ['[a-z]*', ['[a-z]1'], ['a', 'az']],
      ['(a|b)+*', ['(a|b)+x'], ['a', 'ab']],
      ['a?*', ['a?', 'a?b'], ['a', 'ab']],
      ['\\*', ['\\', '\\x'], ['*', '']],
      ['^*$', ['^$', '^a$'], ['a', '']],
      ['😀*', ['😀', '😀1'], ['😁', '1😀']],
      ['*👩‍👩‍👧', ['👩‍👩‍👧', 'room 👩‍👩‍👧'], ['👩', '👧']],
      ['org.*.user.*', ['org.1.user.2', 'org..user.'], ['org.1.user', 'org.1.users.2']],
    ]
    for (const [pattern, meant, others] of cases) {
      it(`${pattern} means the whole name`, () => {
        expect(ChannelPattern.parse(pattern).isExact).to.equal(false)
        for (const name of meant) expect(matches(pattern, name), name).to.equal(true)
        for (const name of others) expect(matches(pattern, name), name).to.equal(false)
      })
    }

    it('agrees with the plainest definition, on every short pattern and name', () => {
      const names = textsOf('ab', 5)
      for (const text of textsOf('ab*', 5)) {
        const pattern = ChannelPattern.parse(text)
        for (const name of names) {
          if (pattern.matches(name) !== reference(text, name)) expect.fail(`${text} and ${name}`)
        }
      }
    })
  })

  describe('with #regex:', () => {
    const cases: [expression: string, meant: string[], others: string[]][] = [
      ['org\\.[0-9]+', ['org.1', 'org.123'], ['org.', 'xorg.1', 'org.1x', 'org.1\n']],
      ['^org\\.[0-9]+$', ['org.1'], ['xorg.1', 'org.1x']],
      ['a|b', ['a', 'b'], ['ab', 'xa', 'bx']],
      ['^a|b$', ['a', 'b'], ['ax', 'xb']],
      ['a|ab', ['a', 'ab'], ['abc']],
      ['a*?', ['', 'aaa'], ['b']],
      ['admin.*', ['admin', 'admin.1', 'admin\nx'], ['xadmin']],
      ['(?m)^a$', ['a'], ['a\nb', 'b\na']],
      ['(?i)chat', ['chat', 'CHAT'], ['chats']],
      ['.', ['a', '😀', '\n'], ['', 'ab']],
      ['[😀-😎]+', ['😀', '😃😎'], ['😏', '']],
      ['\\p{L}+', ['é', 'ß', 'я'], ['1', '']],
      ['a{2}', ['aa'], ['a', 'a{2}']],
      ['\\Q*.*\\E', ['*.*'], ['a.b']],
      ['__proto__', ['__proto__'], ['constructor']],
    ]
    for (const [expression, meant, others] of cases) {
      it(`${JSON.stringify(expression)} means the whole name`, () => {
        const pattern = `#regex:${expression}`
        for (const name of meant) expect(matches(pattern, name), name).to.equal(true)
        for (const name of others) expect(matches(pattern, name), name).to.equal(false)
        expect(ChannelPattern.parse(pattern).isExact).to.equal(false)
      })
    }

    it('takes time in proportion to the name where backtracking would never end', () => {
      const name = `${'a'.repeat(10_000)}!`
      for (const expression of ['(a+)+$', '(a|aa)+', '(a*)*b', '(.*)(.*)(.*)(.*)z', '(?:a?){100}a{100}']) {
        const before = performance.now()
        expect(matches(`#regex:${expression}`, name)).to.equal(false)
        expect(performance.now() - before, expression).to.be.below(5000)
      }
    })

    it('compiles an expression once for everybody', () => {
      expect(ChannelPattern.parse('#regex:once')).to.equal(ChannelPattern.parse('#regex:once'))
    })
  })

  describe('.parse', () => {
    const bad = ['(a', 'a)', '[z-a]', 'a**', '\\', '+', '(?=a)', '(?<=a)b', '(a)\\1', 'x{2,1}', 'x{1001}', '']
    for (const expression of bad) {
      it(`refuses #regex:${expression}`, () => {
        const error = thrownBy(() => ChannelPattern.parse(`#regex:${expression}`))
        expect(error).to.be.instanceOf(PatternError)
        expect(error)
          .to.have.property('message')
          .that.matches(/regular expression/)
        expect(error).to.have.property('limit', undefined)
      })
    }

    for (const expression of ['a{600}', '(a{30}){30}', '\\pL{1000}', '(?:a?){300}', 'a{1000}'.repeat(30)]) {
      it(`refuses #regex:${expression.slice(0, 20)}, whose program is too large`, () => {
        const error = thrownBy(() => ChannelPattern.parse(`#regex:${expression}`))
        expect(error).to.be.instanceOf(PatternError)
        expect(error).to.have.property('limit', PATTERN_LIMITS.program)
      })
    }

    for (const [kind, start] of [
      ['a name', ''],
      ['a text with *', '*'],
      ['an expression', '#regex:'],
    ] as const) {
      it(`refuses ${kind} that is too long, and takes the longest`, () => {
        const longest = start.padEnd(PATTERN_LIMITS.length, 'a')
        expect(ChannelPattern.parse(longest)).to.be.instanceOf(ChannelPattern)
        const error = thrownBy(() => ChannelPattern.parse(`${longest}a`))
        expect(error).to.be.instanceOf(PatternError)
        expect(error).to.have.property('limit', PATTERN_LIMITS.length)
      })
    }

    it('says what an expression costs, and that the others cost nothing', () => {
      expect(ChannelPattern.parse('#regex:a{100}').programSize).to.be.within(100, 110)
      expect(ChannelPattern.parse('chat-*').programSize).to.equal(0)
      expect(ChannelPattern.parse('chat').programSize).to.equal(0)
    })
  })
})
