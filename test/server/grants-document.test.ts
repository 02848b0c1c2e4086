import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { CLAIM_LIMITS, readClaims } from '#server/claims/claims.js'
import { Grants } from '#server/claims/grants.js'
import { PATTERN_LIMITS } from '#server/patterns/channel-pattern.js'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const text = read('docs/GRANTS.md')
const source = (name: string) => read(`packages/server/src/${name}.ts`)

/** The first cells of the first table after a text. */
function firstCells(after: string): string[] {
  const rows = (text.split(after)[1] ?? '').split(/^\|.*\n\|[-|]+\n/m)[1]?.split('\n\n')[0] ?? ''
  return [...rows.matchAll(/^\| `(\w+)`/gm)].map(([, cell]) => cell ?? '')
}

/** The properties of an interface. */
function properties(file: string, name: string): string[] {
  const [, body = ''] = new RegExp(`export interface ${name} \\{\n([^]*?)\n\\}`).exec(source(file)) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, property]) => property ?? '')
}

/** The `json` examples. */
const examples = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) => JSON.parse(json))

describe('GRANTS.md', () => {
  for (const [after, file, name] of [
    ['## Claims', 'claims/claims', 'TokenClaims'],
    ['Of a channel:', 'claims/claims', 'ChannelClaims'],
    ['Of an event:', 'claims/claims', 'MessageClaims'],
    ['## Channel rules', 'channels/rule-table', 'ChannelRule'],
    ['### Events of a rule', 'channels/rule-table', 'ChannelEventRule'],
  ] as const) {
    it(`has every field of ${name}, and no other`, () => {
      const documented = firstCells(after)
      expect(documented).not.to.have.length(0)
      expect(documented).to.have.members(properties(file, name))
    })
  }

  it('has the limits that the code has', () => {
    const rows = (text.split('## Limits')[1] ?? '').matchAll(/^\| `(\w+)` \| (\d+) \|/gm)
    const limits = Object.fromEntries([...rows].map(([, name, limit]) => [name, Number(limit)]))
    expect(limits).to.deep.equal(CLAIM_LIMITS)
    expect(text).to.include(`at most ${PATTERN_LIMITS.length} UTF-16 code units`)
    expect(text).to.include(`at most ${PATTERN_LIMITS.program} instructions`)
  })

  it('shows claims that are good', () => {
    expect(examples).to.have.length(2)
    for (const example of examples) expect(readClaims(example)?.channels?.size).to.be.at.least(1)
  })

  it('says what comes of the claims that it merges', () => {
    const grants = Grants.of(readClaims(examples[1]))
    expect(grants.subscribe('chat.7')).to.equal(true)
    expect(grants.historyStart('chat.7')).to.equal(0)
    expect(grants.message('chat.7', 'say')).to.deep.equal({ publish: true, echo: true, store: 3_600_000 })
    expect(grants.message('chat.7', 'other')).to.deep.equal({ publish: true, echo: false, store: 0 })
    expect(grants.subscribe('chat.admin')).to.equal(false)
    expect(grants.message('chat.admin', 'say').publish).to.equal(true)
  })
})
