/** Lists and objects that may be inside one another. */
export const NESTING_LIMIT = 1000

/** Opening brackets below which a text is not looked at: parsing them all nested takes a few milliseconds. */
const MANY = 50_000

/**
 * Whether a text of JSON nests too deeply to be parsed. V8's `JSON.parse` takes 60 to 90 ns for each level, so that 1 MiB of
 * `[` would hold the event loop for as many milliseconds. A text with few brackets costs nothing but a search for them.
 */
export function isNestedTooDeeply(text: string): boolean {
  return text.length > MANY && hasMany(text) && isDeep(text)
}

function hasMany(text: string): boolean {
  let count = 0
  for (const bracket of '[{') {
    for (let at = text.indexOf(bracket); at >= 0 && count <= MANY; at = text.indexOf(bracket, at + 1))
      count += 1
  }
  return count > MANY
}

function isDeep(text: string): boolean {
  let depth = 0
  let isInString = false
  for (let at = 0; at < text.length && depth <= NESTING_LIMIT; at += 1) {
    const char = text[at]
    if (char === '"') isInString = !isInString
    else if (isInString) at += char === '\\' ? 1 : 0
    else if (char === '[' || char === '{') depth += 1
    else if (char === ']' || char === '}') depth -= 1
  }
  return depth > NESTING_LIMIT
}
