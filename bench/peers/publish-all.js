/**
 * What `publish` does on every peer: a number of publications in one turn, numbered on.
 * @param {{ n: number, count: number, text: string }} request
 * @param {(data: { n: number, text: string }) => void} publish
 */
export function publishAll({ n, count, text }, publish) {
  for (let i = 0; i < count; i += 1) publish({ n: n + i, text })
  return null
}
