/** Lists and objects that may be inside one another. */
export const NESTING_LIMIT = 100

/** Lists and objects that one text may have. */
export const PARTS_LIMIT = 100_000

/** The depths of all lists and objects of one text together. */
const WORK_LIMIT = 2_000_000

/**
 * Whether a text of JSON would take too long to be parsed, or to be written again. `JSON.parse` takes 60 to 200 ns for each
 * list and object, and `JSON.stringify` looks at all that one is inside of, for circles: the work is the sum of their
 * depths, some nanoseconds each. A text with few lists and objects costs nothing but a search for their brackets.
 */
export function isTooComplex(text: string): boolean {
  return text.length > NESTING_LIMIT && hasMany(text) && isOverLimits(text)
}

function hasMany(text: string): boolean {
  let count = 0
  for (const bracket of '[{') {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      count += 1
      if (count > NESTING_LIMIT) return true
    }
  }
  return false
}

function isOverLimits(text: string): boolean {
  let [depth, parts, work] = [0, 0, 0]
  let isInString = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (char === '"') isInString = !isInString
    else if (isInString) at += char === '\\' ? 1 : 0
    else if (char === ']' || char === '}') depth -= 1
    else if (char === '[' || char === '{') {
      depth += 1
      parts += 1
      work += depth
      if (depth > NESTING_LIMIT || parts > PARTS_LIMIT || work > WORK_LIMIT) return true
    }
  }
  return false
}
