import { readFileSync } from 'node:fs'
import {
  BUILT_IN,
  CLOSE_CODES,
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  ERRORS,
  encodeData,
  encodeError,
  encodeThrown,
  NAME_LIMITS,
  RpcError,
  retryOf,
  type ServerMessage,
  shouldReconnect,
} from '@token-socket/protocol'
import { expect } from 'chai'

type Direction = 'C→S' | 'S→C'
type Message = ClientMessage | ServerMessage

/** Every message, its direction, and the message that answers it. The types make the list complete. */
const MESSAGES: Record<Message['type'], readonly [Direction, answeredBy?: Message['type']]> = {
  auth: ['C→S', 'answer'],
  call: ['C→S', 'answer'],
  subscribe: ['C→S', 'answer'],
  unsubscribe: ['C→S', 'answer'],
  publish: ['C→S', 'answer'],
  history: ['C→S', 'answer'],
  broadcast: ['C→S', 'answer'],
  ping: ['C→S', 'answer'],
  result: ['C→S'],
  cancel: ['C→S'],
  refresh: ['C→S', 'answer'],
  send: ['C→S', 'answer'],
  answer: ['S→C'],
  invoke: ['S→C', 'result'],
  withdraw: ['S→C'],
  subscribed: ['S→C'],
  unsubscribed: ['S→C'],
  position: ['S→C'],
  presence: ['S→C'],
  publication: ['S→C'],
  session: ['S→C'],
  renew: ['S→C'],
  direct: ['S→C', 'result'],
  error: ['S→C'],
}

interface Example {
  readonly direction: string
  readonly text: string
}

const protocol = readDocument('docs/PROTOCOL.md')
const errors = readDocument('docs/ERRORS.md')

function readDocument(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

/** What is under a heading, up to the next one of its level or above. */
function section(document: string, heading: string): string {
  const level = heading.indexOf(' ')
  const lines = document.split('\n')
  const start = lines.indexOf(heading)
  if (start < 0) throw new Error(`there is no section “${heading}”`)
  const length = lines.slice(start + 1).findIndex((line) => new RegExp(`^#{1,${level}} `).test(line))
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n')
}

function headings(document: string, level: number): string[] {
  const marks = '#'.repeat(level)
  return document.split('\n').filter((line) => line.startsWith(`${marks} `))
}

/** The cells of a section's tables, without their heads. */
function rows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'))
  const cells = lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  return cells.filter((_, at) => !isRule(cells[at]) && !isRule(cells[at + 1]))
}

function isRule(cells: readonly string[] | undefined): boolean {
  return cells?.every((cell) => /^-+$/.test(cell)) ?? false
}

function unquote(cell: string | undefined): string {
  const [, text] = /^`(.+)`$/.exec(cell ?? '') ?? []
  if (text === undefined) throw new Error(`expected code in backticks: ${cell}`)
  return text
}

/** The `json` blocks, at any depth of a list. */
function examples(text: string): Example[] {
  return [...text.matchAll(/^ *```json(.*)\n([\s\S]*?)^ *```$/gm)].map(([, info = '', body = '']) => ({
    direction: info.trim(),
    text: body.trim(),
  }))
}

function decode({ direction, text }: Example): Message {
  return direction === 'C→S' ? decodeClientMessage(text) : decodeServerMessage(text)
}

describe('documents', () => {
  describe('PROTOCOL.md', () => {
    const client = section(protocol, '## Messages of the client')
    const server = section(protocol, '## Messages of the server')

    it('has an example in each section that needs one, found by this test', () => {
      expect(examples(protocol).length).to.be.at.least(Object.keys(MESSAGES).length * 2)
    })

    it('has no message that the code does not have, and none missing, each under its side', () => {
      for (const [direction, part] of [
        ['C→S', client],
        ['S→C', server],
      ] as const) {
        const types = Object.entries(MESSAGES).filter(([, [side]]) => side === direction)
        expect(headings(part, 3)).to.deep.equal(types.map(([type]) => `### \`${type}\``))
      }
    })

    it('has the messages that messages.ts has', () => {
      const source = readDocument('packages/protocol/src/messages.ts')
      const types = [...source.matchAll(/readonly type: (.+)/g)].flatMap(([, union = '']) => union.split('|'))
      const names = types.map((type) => type.trim().slice(1, -1))
      expect(names.sort()).to.deep.equal(Object.keys(MESSAGES).sort())
    })

    it('has the built-in names that the code has', () => {
      const table = rows(section(protocol, '## Requests and answers'))
      const names = table.map(([rpc, message]) => [unquote(message), unquote(rpc)])
      expect(Object.fromEntries(names)).to.deep.equal(BUILT_IN)
      expect(names).to.have.length(Object.keys(BUILT_IN).length)
    })

    for (const [type, [direction, answeredBy]] of Object.entries(MESSAGES)) {
      describe(`the section of ${type}`, () => {
        const text = section(direction === 'C→S' ? client : server, `### \`${type}\``)
        const own = examples(text).filter((example) => example.direction === direction)
        const others = examples(text).filter((example) => example.direction !== direction)

        it('begins with its direction', () => {
          expect(text.trim().split('\n')[0]).to.match(new RegExp(`^Direction: \\*\\*${direction}\\*\\*\\.`))
        })

        it('has a shape in TypeScript', () => expect(text).to.match(/^```ts\ninterface \w+Frame \{/m))

        it('says what happens when it is wrong, unless it is itself what is said then', () => {
          if (type !== 'error') expect(text).to.match(/^When it is wrong: /m)
          else expect(protocol).to.match(/^- Else the server sends an \[`error`\]/m)
        })

        it('has examples that decode to it', () => {
          expect(own).not.to.have.length(0)
          for (const example of own) expect(decode(example)).to.have.property('type', type)
        })

        it(answeredBy ? `has examples of its answers, and no others` : 'has no examples of answers', () => {
          for (const example of others) expect(decode(example)).to.have.property('type', answeredBy)
          if (!answeredBy) expect(others).to.have.length(0)
        })

        it('has answers that repeat the names and ids of the examples', () => {
          const keyOf = ({ text: frame }: Example): string => {
            const { rpc, uuid, data } = JSON.parse(frame)
            return type === 'invoke' ? `_rpc ${data?.fid}` : `${rpc} ${uuid}`
          }
          const answerKeyOf = (example: Example): string => {
            const { rpc, uuid, fid } = JSON.parse(example.text)
            return `${rpc} ${fid ?? uuid}`
          }
          expect(own.map(keyOf)).to.include.members(others.map(answerKeyOf))
        })

        if (Object.hasOwn(BUILT_IN, type)) {
          it('has the built-in name in its examples and its shape', () => {
            const name = BUILT_IN[type as keyof typeof BUILT_IN]
            for (const { text: frame } of own) expect(JSON.parse(frame)).to.have.property('rpc', name)
            expect(text).to.include(`rpc: '${name}'`)
          })
        }
      })
    }

    for (const heading of headings(protocol, 2)) {
      const found = examples(section(protocol, heading))
      if (found.length === 0) continue
      it(`has only examples that are marked with a direction and decode, in “${heading.slice(3)}”`, () => {
        for (const example of found) {
          expect(example.direction, example.text).to.be.oneOf(['C→S', 'S→C'])
          expect(() => decode(example), example.text).not.to.throw()
        }
      })
    }

    it('shows the request of each answer, in each scenario', () => {
      for (const heading of headings(section(protocol, '## Scenarios'), 3)) {
        const messages = examples(section(protocol, heading)).map(decode)
        const requests = messages.flatMap((message) =>
          'id' in message && message.type !== 'answer' ? [message.id] : [],
        )
        const answers = messages.flatMap((message) => (message.type === 'answer' ? [message.id] : []))
        expect(requests, heading).to.include.members(answers)
      }
    })

    it('numbers its scenarios', () => {
      const numbers = headings(section(protocol, '## Scenarios'), 3).map((heading) =>
        Number.parseInt(heading.slice(4), 10),
      )
      expect(numbers).to.deep.equal(numbers.map((_, at) => at + 1))
      expect(numbers).to.have.length.at.least(10)
    })

    it('has the limits of names that the code has', () => {
      const table = rows(section(protocol, '## Limits')).slice(0, Object.keys(NAME_LIMITS).length)
      const limits = table.map(([name, limit]) => [unquote(name), Number(limit)])
      expect(Object.fromEntries(limits)).to.deep.equal(NAME_LIMITS)
    })

    it('has the close codes that the code has, and whether to come back', () => {
      const table = rows(section(protocol, '## Close codes'))
      const codes = table.map(([code, name, reason]) => [unquote(name), { code: Number(code), reason }])
      expect(Object.fromEntries(codes)).to.deep.equal(CLOSE_CODES)
      expect(codes).to.have.length(Object.keys(CLOSE_CODES).length)
      for (const [code, , , comesBack] of table) {
        expect(comesBack, code).to.equal(shouldReconnect(Number(code)) ? 'yes' : 'no')
      }
    })

    it('names no close code that the code does not have', () => {
      const named = [...protocol.matchAll(/closes? with `(\w+)`|closed with \d+ `(\w+)`/g)]
      const names = named.map(([, first, second]) => first ?? second)
      expect(names).to.have.length.at.least(5)
      expect(Object.keys(CLOSE_CODES)).to.include.members(names)
    })

    it('names no error code that the code does not have', () => {
      const sentences = [...protocol.matchAll(/^When it is wrong: (.+(?:\n.+)*)/gm)].map(
        ([, text = '']) => text,
      )
      const codes = sentences.join('\n').match(/`[a-z]+_[a-z_]+`/g) ?? []
      expect(codes).to.have.length.at.least(5)
      expect(Object.keys(ERRORS)).to.include.members(codes.map(unquote))
    })

    it('has a contents list of its sections', () => {
      const listed = [...section(protocol, '## Contents').matchAll(/^\d+\. \[(.+)\]/gm)].map(
        ([, title]) => title,
      )
      expect(listed).to.deep.equal(
        headings(protocol, 2)
          .map((heading) => heading.slice(3))
          .filter((title) => title !== 'Contents'),
      )
    })
  })

  describe('ERRORS.md', () => {
    const table = rows(section(errors, '## Codes'))

    it('has the codes and texts that the code has, in its order', () => {
      expect(table.map(([code, text]) => [unquote(code), text])).to.deep.equal(Object.entries(ERRORS))
    })

    it('says of each whether to retry, as the code does', () => {
      for (const [code = '', , retry] of table) expect(retry, code).to.equal(retryOf(unquote(code)))
    })

    it('says of each what it means, who makes it, and what to do', () => {
      for (const [code, , , meaning, maker, remedy] of table) {
        expect(meaning, code).to.match(/^[A-Z“`].+\.$/)
        expect(maker, code).to.match(/^the .+[^.]$/)
        expect(remedy, code).to.match(/^[A-Z].+\.$/)
      }
    })

    it('shows errors on the wire as the code encodes them', () => {
      const wires = {
        "callback('Sold out')": encodeError('Sold out'),
        'callback({ status: 402 })': encodeError({ status: 402 }),
        "callback({ code: 'sold_out' })": encodeError({ code: 'sold_out' }),
        "callback(new Error('No stock'))": encodeError(new Error('No stock')),
        "callback(new RpcError('forbidden'))": encodeError(new RpcError('forbidden')),
        "callback(new RpcError('sold_out', 'Sold out'))": encodeError(new RpcError('sold_out', 'Sold out')),
        "throw new RpcError('sold_out', 'Sold out', { left: 0 })": encodeThrown(
          new RpcError('sold_out', 'Sold out', { left: 0 }),
        ),
        "throw new Error('secret')": encodeThrown(new Error('secret')),
      }
      expect(rows(section(errors, '## On the wire')).map((cells) => cells.map(unquote))).to.deep.equal(
        Object.entries(wires).map(([handler, { error, code }]) => [
          handler,
          encodeData(error),
          encodeData(code),
        ]),
      )
    })
  })

  describe('links', () => {
    for (const [name, document] of [
      ['PROTOCOL.md', protocol],
      ['ERRORS.md', errors],
    ] as const) {
      it(`of ${name} lead to headings that exist`, () => {
        const links = [...document.matchAll(/\]\(([\w.]*)#([\w-]+)\)/g)]
        expect(links).not.to.have.length(0)
        for (const [link, file = '', anchor = ''] of links) {
          const target = file === '' ? document : readDocument(`docs/${file}`)
          const anchors = [1, 2, 3].flatMap((level) => headings(target, level)).map(anchorOf)
          expect(anchors, link).to.include(anchor)
        }
      })
    }
  })
})

/** A heading as GitHub names it in links. */
function anchorOf(heading: string): string {
  return heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
