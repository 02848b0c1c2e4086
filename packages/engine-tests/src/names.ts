/**
 * Names that mean something to stores, patterns or objects, each with one that it must not be
 * taken for. Engines have to keep channels, users and ids of these names apart.
 */
export const NAMES: readonly (readonly [name: string, other: string])[] = [
  ['a', 'A'],
  ['news*', 'news1'],
  ['h?llo', 'hello'],
  ['h[ae]llo', 'hallo'],
  ['a\\*', 'a*'],
  ['two words', 'two'],
  [' ', '  '],
  ['{a}b', '{a}c'],
  ['a:b', 'a'],
  ['a/b', 'a'],
  ['a.b', 'axb'],
  ['%s', '%d'],
  ['😀', '😁'],
  ['é', 'e\u0301'],
  ['line\nbreak', 'line'],
  ['zero\u0000', 'zero'],
  ['__proto__', 'constructor'],
  ['toString', 'valueOf'],
  ['x'.repeat(256), 'x'.repeat(255)],
]
