/** The defaults that comments and documents name are those of the code. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import express from 'express'
import { readOptions } from '#client/settings/options.js'
import { resolveOptions } from '#server/options.js'
import { root } from './source-file.js'

type Values = Readonly<Record<string, unknown>>

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, Mi: 1024 ** 2 }

const LITERAL = /^(true|false|Infinity|\d+|'[^']*'|\[[^\]]*\]|\{\})(?![\w'])/

/** Defaults that no literal says: one holds the option `prefix`, and the other is that of browsers. */
const APART = ['<prefix>/health', "['websocket', 'sockjs']", 'in Node']

/** The value that a text names; `undefined` for one that describes it in words. */
function valueIn(text: string): { readonly value: unknown } | undefined {
  if (APART.some((one) => text.includes(one))) return undefined
  const [, number, unit = ''] = /^(\d+) (KiB|MiB|Mi)$/.exec(text) ?? []
  if (number) return { value: Number(number) * (UNITS[unit] ?? 1) }
  const [literal] = LITERAL.exec(text) ?? []
  if (literal === 'Infinity') return { value: Number.POSITIVE_INFINITY }
  return literal ? { value: JSON.parse(literal.replaceAll("'", '"')) } : undefined
}

/** What the comments of an interface's properties say by `@default`. */
function commented(file: string, name: string): readonly (readonly [property: string, text: string])[] {
  const source = readFileSync(join(root, file), 'utf8')
  const body = new RegExp(`export interface ${name} \\{\n([^]*?)\n\\}`).exec(source)?.[1] ?? ''
  const properties = body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(?:readonly )?(\w+)\??:/g)
  return [...properties].flatMap(([, comment = '', property = '']) => {
    const [, text] =
      /@default\s([^@]*)/.exec(comment.replaceAll(/\n *\*/g, ' ').replaceAll(/\s+/g, ' ')) ?? []
    return text ? [[property, text.trim()] as const] : []
  })
}

/** What the last column of a document's table says. */
function tabled(document: string, column: string): readonly (readonly [property: string, text: string])[] {
  const text = readFileSync(join(root, document), 'utf8')
  const rows = text.split(`| ${column} |`)[1]?.split('\n\n')[0]?.split('\n') ?? []
  return rows.flatMap((row) => {
    const cells = row.split(' | ')
    const [, property] = /`(\w+)`/.exec(cells[0] ?? '') ?? []
    const last = cells.at(-1)?.replace(/ *\|$/, '').trim() ?? ''
    return property ? [[property, last.startsWith('`') ? (last.split('`')[1] ?? '') : last] as const] : []
  })
}

const app = express()
const server = resolveOptions({ app, server: createServer(app), secret: 's'.repeat(32) }) as unknown as Values
const client = readOptions({ host: 'http://localhost' }) as unknown as Values

for (const [title, pairs, values, least] of [
  [
    'comments of the server’s options',
    commented('packages/server/src/options.ts', 'TokenSocketServerOptions'),
    server,
    25,
  ],
  [
    'comments of the server’s limits',
    commented('packages/server/src/options/limits.ts', 'Limits'),
    server.limits,
    35,
  ],
  [
    'comments of the client’s options',
    commented('packages/client/src/settings/options.ts', 'TokenSocketOptions'),
    client,
    10,
  ],
  ['the table of the server’s options', tabled('docs/reference/server.md', 'option'), server, 25],
  ['the table of the server’s limits', tabled('docs/reference/server.md', 'limit'), server.limits, 35],
  ['the table of the client’s options', tabled('docs/reference/client.md', 'option'), client, 10],
] as const)
  describe(`the defaults in ${title}`, () => {
    const named = pairs.flatMap(([property, text]) => {
      const found = valueIn(text)
      return found && property in (values as Values) ? [[property, found.value] as const] : []
    })

    it('are found', () => expect(named).to.have.length.above(least - 1))

    for (const [property, value] of named)
      it(`is that of ${property}`, () => expect((values as Values)[property]).to.deep.equal(value))
  })
