/** docs/STATES.md shows the tables that the client runs on. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { CONNECTION_MOVES, SUBSCRIPTION_MOVES } from '#client/settings/states.js'

const document = await readFile(new URL('../../docs/STATES.md', import.meta.url), 'utf8')

type Table = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>

function section(heading: string): string {
  const text = document.split(`${heading}\n`)[1]
  if (text === undefined) throw new Error(`no section ${heading}`)
  return text.split('\n#')[0] ?? ''
}

function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
}

function movesOf(table: Table): string[] {
  return Object.entries(table).flatMap(([from, moves]) =>
    Object.entries(moves).map(([event, to]) => `${from} ${event} ${to}`),
  )
}

describe('docs/STATES.md', () => {
  for (const [states, moves, table] of [
    ['## The connection', '### Moves of the connection', CONNECTION_MOVES],
    ['## A subscription', '### Moves of a subscription', SUBSCRIPTION_MOVES],
  ] as const) {
    it(`names every state of "${states.slice(3)}", and no other`, () => {
      expect(rows(section(states)).map(([state]) => state)).to.have.members(Object.keys(table))
    })

    it(`lists every move of "${states.slice(3)}", and no other`, () => {
      const documented = rows(section(moves)).map(([from, event, to]) => `${from} ${event} ${to}`)
      expect(documented).to.have.members(movesOf(table))
    })
  }

  it('draws the moves of the connection', () => {
    const drawn = [...document.matchAll(/^ {2}(\w+) --> (\w+): (\w+)$/gm)].map(
      ([, from, to, event]) => `${from} ${event} ${to}`,
    )
    expect(drawn).to.have.members(movesOf(CONNECTION_MOVES))
  })
})
