/**
 * The text of a payload `{ n, text }` whose JSON has a size, for an `n` of five digits.
 * @param {number} bytes
 */
export function payloadText(bytes) {
  return 'x'.repeat(Math.max(bytes - '{"n":12345,"text":""}'.length, 0))
}

/** A payload as JSON. */
export function payloadJson(n, text) {
  return `{"n":${n},"text":"${text}"}`
}

/** Every answer and publication is compared with what it has to be. */
export function check(data, n, text) {
  if (data?.n !== n || data.text !== text) {
    throw new Error(`wrong: expected ${payloadJson(n, text)}, got ${JSON.stringify(data)}`)
  }
}
