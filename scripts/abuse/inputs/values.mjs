// Names and JSON texts that break careless code. JSON is made as text: so it can have what `JSON.stringify` never writes.

/** Names that objects inherit, names of the wire, and names at their limits. */
export const NAMES = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', 'valueOf'],
  ...[
    'then',
    'toJSON',
    'length',
    'constructor.prototype',
    '__proto__.toString',
    'echo.__proto__',
    'echo.call',
  ],
  ...[
    '',
    '.',
    '..',
    'a..b',
    '*',
    '**',
    '#',
    '#^(a+)+$#',
    '/../x',
    'null',
    'undefined',
    '0',
    '-1',
    ' ',
    '\t',
    '\u0000',
  ],
  ...[
    'é',
    '漢字',
    '😀',
    '\ud800',
    '\udfff',
    '\u2028',
    '\ufeff',
    'a\nb',
    'a\rb',
    '"',
    '\\',
    '<script>',
    '%00',
    '%',
  ],
  ...['a'.repeat(64), 'b'.repeat(65), 'c'.repeat(256), 'd'.repeat(257), '漢'.repeat(256), 'e'.repeat(5000)],
]

const NUMBERS = [
  ...['0', '-0', '-1', '1', '0.5', '1e400', '-1e400', '1e-400', '9007199254740991', '9007199254740993'],
  ...['18446744073709551616', '2147483648', '-2147483649', '1e21', '100', '101', '253402300800'],
]

const LITERALS = ['true', 'false', 'null', '""', '[]', '{}', '[[]]', '{"a":{}}']

/** A text as JSON. A lone surrogate is written as it is where `isRaw`, else escaped. */
export function quoted(text, isRaw = false) {
  return isRaw ? `"${text.replace(/["\\\n\r\t\0]/g, '')}"` : JSON.stringify(text)
}

/** Arrays or objects, one inside the other. */
export function nested(random) {
  const depth = random.pick([2, 20, 200, 2000])
  return random.chance(50)
    ? `${'['.repeat(depth)}${']'.repeat(depth)}`
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
}

/** A JSON value, as text. */
export function value(random, depth = 2) {
  const kind = random.number(100)
  if (kind < 25) return quoted(random.pick(NAMES), random.chance(20))
  if (kind < 45) return random.pick(NUMBERS)
  if (kind < 65) return random.pick(LITERALS)
  if (kind < 67) return nested(random)
  if (depth === 0) return random.pick(LITERALS)
  if (kind < 80) return `[${random.list(0, 4, () => value(random, depth - 1)).join(',')}]`
  const entries = random.list(0, 4, () => `${quoted(random.pick(NAMES))}:${value(random, depth - 1)}`)
  return `{${entries.join(',')}}`
}

/** An object of fields that are JSON texts. A name may be there twice. */
export function object(fields) {
  return `{${fields.map(([name, text]) => `${quoted(name)}:${text}`).join(',')}}`
}

/** Fields with some of them left out, replaced, renamed, or doubled. */
export function mutateFields(random, fields) {
  const mutated = fields.flatMap(([name, text]) => {
    const kind = random.number(100)
    if (kind < 8) return []
    if (kind < 30) return [[name, value(random)]]
    if (kind < 34) return [[random.pick(NAMES), text]]
    if (kind < 38)
      return [
        [name, value(random)],
        [name, text],
      ]
    return [[name, text]]
  })
  return random.chance(20) ? [...mutated, [random.pick(NAMES), value(random)]] : mutated
}

/** Characters of a text changed, left out, put in, or doubled. */
export function mutateText(random, text) {
  let mutated = text
  for (let left = 1 + random.number(3); left > 0; left -= 1) {
    const at = random.number(mutated.length + 1)
    const [before, after] = [mutated.slice(0, at), mutated.slice(at)]
    const kind = random.number(5)
    if (kind === 0) mutated = before + after.slice(1 + random.number(8))
    else if (kind === 1)
      mutated = before + random.pick(['"', '\\', '{', '}', '[', ',', ':', '\0', '\u2028', '\\u']) + after
    else if (kind === 2) mutated = before + String.fromCharCode(random.number(0x10000)) + after.slice(1)
    else if (kind === 3) mutated = before
    else mutated = before + after.slice(0, 10) + after
  }
  return mutated
}
