/** Names that are compared with, and UTF-16 code units of each. */
const LIMITS = { names: 500, length: 64 } as const

/**
 * The name that was most likely meant, for texts such as `did you mean "orders.pay"?`: the one with the fewest letters
 * added, left out, exchanged or swapped, at most a third of them and at most three. The case of letters counts for nothing.
 * It compares with 500 names of up to 64 UTF-16 code units.
 * @returns `undefined` if none is near enough
 */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  if (wrong.length === 0 || wrong.length > LIMITS.length) return undefined
  const sought = wrong.toLowerCase()
  let nearest: string | undefined
  let least = Math.min(3, Math.max(1, Math.floor(wrong.length / 3))) + 1
  let left: number = LIMITS.names
  for (const name of names) {
    left -= 1
    if (left < 0) break
    if (name === wrong || Math.abs(name.length - wrong.length) >= least) continue
    const distance = distanceOf(sought, name.toLowerCase(), least)
    if (distance < least) [nearest, least] = [name, distance]
  }
  return nearest
}

/**
 * Damerau and Levenshtein's distance, each pair of letters swapped once: three rows of its table are kept. Cells that are
 * further from the diagonal than `least` cannot be on a shorter way, and are left out.
 * @returns `least` or more, if the distance is not below that
 */
function distanceOf(a: string, b: string, least: number): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const line: number[] = []
    if (row < least) line[0] = row
    const last = Math.min(b.length, row + least)
    for (let column = Math.max(1, row - least); column <= last; column += 1) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      line[column] = Math.min(
        at(above, column) + 1,
        at(line, column - 1) + 1,
        at(above, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = above
    above = line
  }
  return at(above, b.length)
}

/** A cell of a row; beyond its ends there is nothing. */
function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
