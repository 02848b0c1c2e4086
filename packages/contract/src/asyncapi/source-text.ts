import { toJson } from './json-text.js'
import { commentText } from './type-schema.js'

const LINE_WIDTH = 100

/** A piece of source text. A list is an object or array in braces of its own. */
export type Source =
  | string
  | { readonly open: string; readonly close: string; readonly items: readonly Item[] }

/** An item of a list: `text` is written before `value`, and `comment` above it. */
export interface Item {
  readonly comment?: string | undefined
  readonly text: string
  readonly value: Source
}

/**
 * Writes source text: a list goes on one line where it fits and has no comments, else each item on
 * its own.
 */
export function print(source: Source, indent = '', before = 0): string {
  if (typeof source === 'string') return source
  const { open, close, items } = source
  if (items.length === 0) return open.trimEnd() + close.trimStart()
  const line = oneLine(source)
  if (line !== undefined && indent.length + before + line.length <= LINE_WIDTH) return line
  const inner = `${indent}  `
  const lines = items.map(({ comment, text, value }) => {
    const printed = print(value, inner, text.length + 1)
    const isLong = typeof value === 'string' && inner.length + text.length + printed.length >= LINE_WIDTH
    const placed = isLong && text.endsWith(': ') ? `${text.trimEnd()}\n${inner}  ${printed}` : text + printed
    return `${comment === undefined ? '' : printComment(comment, inner)}${inner}${placed},\n`
  })
  return `${open.trimEnd()}\n${lines.join('')}${indent}${close.trimStart()}`
}

function oneLine(source: Source): string | undefined {
  if (typeof source === 'string') return source
  const items: string[] = []
  for (const { comment, text, value } of source.items) {
    const line = oneLine(value)
    if (comment !== undefined || line === undefined) return undefined
    items.push(text + line)
  }
  return items.length === 0 ? print(source) : source.open + items.join(', ') + source.close
}

/** A comment that says a text of the model, whatever is in the text. */
export function printComment(text: string, indent: string): string {
  const lines = commentText(text)
    .split('\n')
    .map((line) => line.trimEnd())
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} *${line && ` ${line}`}\n`).join('')}${indent} */\n`
}

/** A JSON value as TypeScript writes it. */
export function literal(value: unknown): Source {
  if (Array.isArray(value)) {
    return { open: '[', close: ']', items: value.map((item) => ({ text: '', value: literal(item) })) }
  }
  if (typeof value === 'object' && value !== null) {
    const items = Object.entries(value).map(([key, child]) => ({
      text: `${keyText(key)}: `,
      value: literal(child),
    }))
    return { open: '{ ', close: ' }', items }
  }
  return typeof value === 'string' ? stringText(value) : toJson(value)
}

/** A property's name: quoted where it is no identifier. */
export function keyText(key: string): string {
  // As a plain key it would set what the object inherits.
  if (key === '__proto__') return "['__proto__']"
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : stringText(key)
}

/**
 * A string in quotes: single ones, unless that takes more escapes. What can't be seen is escaped.
 */
export function stringText(text: string): string {
  const inDouble = toJson(text).replace(
    /[^\P{C}\n]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
  const count = (quote: string): number => text.split(quote).length
  if (count("'") > count('"')) return inDouble
  return `'${inDouble.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
