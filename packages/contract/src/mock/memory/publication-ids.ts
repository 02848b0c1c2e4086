const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

let last = 0

/** An id of a publication, greater than those before it: a ULID whose random part counts. */
export function nextId(): string {
  last += 1
  return digits(Date.now(), 10) + digits(last, 16)
}

function digits(value: number, length: number): string {
  let [text, rest] = ['', value]
  while (text.length < length) {
    text = DIGITS.charAt(rest % 32) + text
    rest = Math.floor(rest / 32)
  }
  return text
}
