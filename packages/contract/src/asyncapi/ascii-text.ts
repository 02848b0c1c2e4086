/** Letters that Unicode does not take apart into one of A to Z and a mark. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ...([
    ['ß', 'ss'],
    ['ẞ', 'SS'],
    ['æ', 'ae'],
    ['Æ', 'AE'],
    ['œ', 'oe'],
    ['Œ', 'OE'],
  ] as const),
  ...([
    ['ø', 'o'],
    ['Ø', 'O'],
    ['đ', 'd'],
    ['Đ', 'D'],
    ['ð', 'd'],
    ['Ð', 'D'],
  ] as const),
  ...([
    ['ł', 'l'],
    ['Ł', 'L'],
    ['þ', 'th'],
    ['Þ', 'Th'],
    ['ı', 'i'],
  ] as const),
])

/**
 * Spells a text with the letters A to Z where it can: `größe` becomes `grosse`. Other letters stay.
 */
export function asciiText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\0-\x7f]/gu, (letter) => SPELLINGS.get(letter) ?? letter)
}

/** Whether a text has letters or digits other than those of ASCII. */
export function hasOtherLetters(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text.replace(/[A-Za-z0-9]/g, ''))
}
