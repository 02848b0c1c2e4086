// WebSocket frames by hand (RFC 6455): a client that has to keep up with any server on one core cannot afford more.
// Texts are ASCII, since everything that the bench sends is.

/** The mask of every frame. A fixed one is as much work for the server as a random one. */
const MASK = [0x5a, 0xc3, 0x91, 0x2e]

export const TEXT = 1
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/**
 * @typedef {object} Frame
 * @property {number} opcode
 * @property {number} start where its content starts in the data
 * @property {number} end where it ends, and the next frame starts
 */

/**
 * Finds the frame that starts at a place.
 * @param {Buffer} data
 * @param {number} at
 * @returns {Frame | undefined} nothing if it is not there as a whole
 */
export function readFrame(data, at) {
  if (data.length < at + 2) return undefined
  const isWhole = (data[at] & 0x80) !== 0
  if (!isWhole) throw new Error('the server fragmented a frame, which the loader does not understand')
  let length = data[at + 1] & 0x7f
  let start = at + 2
  if (length === 126) {
    if (data.length < at + 4) return undefined
    length = data.readUInt16BE(start)
    start += 2
  } else if (length === 127) {
    if (data.length < at + 10) return undefined
    length = Number(data.readBigUInt64BE(start))
    start += 8
  }
  const end = start + length
  return end > data.length ? undefined : { opcode: data[at] & 0x0f, start, end }
}

/**
 * Puts texts into frames, one each.
 * @param {readonly string[]} texts ASCII
 * @returns {Buffer} all the frames, masked
 */
export function encodeTexts(texts) {
  let size = 0
  for (const text of texts) size += headerSize(text.length) + text.length
  const data = Buffer.allocUnsafe(size)
  let at = 0
  for (const text of texts) {
    at = writeHeader(data, at, { opcode: TEXT, length: text.length })
    data.write(text, at, 'latin1')
    at = mask(data, at, at + text.length)
  }
  return data
}

/**
 * @param {number} opcode `CLOSE` or `PONG`
 * @param {Buffer} content at most 125 bytes
 */
export function encodeControl(opcode, content) {
  const data = Buffer.allocUnsafe(6 + content.length)
  const at = writeHeader(data, 0, { opcode, length: content.length })
  content.copy(data, at)
  mask(data, at, data.length)
  return data
}

function headerSize(length) {
  if (length < 126) return 6
  return length < 65_536 ? 8 : 14
}

function writeHeader(data, at, { opcode, length }) {
  const size = headerSize(length)
  data[at] = 0x80 | opcode
  if (size === 6) data[at + 1] = 0x80 | length
  else if (size === 8) {
    data[at + 1] = 0x80 | 126
    data.writeUInt16BE(length, at + 2)
  } else {
    data[at + 1] = 0x80 | 127
    data.writeBigUInt64BE(BigInt(length), at + 2)
  }
  for (let i = 0; i < 4; i += 1) data[at + size - 4 + i] = MASK[i]
  return at + size
}

function mask(data, start, end) {
  for (let i = start; i < end; i += 1) data[i] ^= MASK[(i - start) & 3]
  return end
}
