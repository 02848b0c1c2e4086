import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Bytes of a slice. */
export const SLICE = 64 * 1024

/** Returns slices of at most 64 KiB, in order. A slice is a view, not a copy. */
export function slicesOf(bytes: Buffer): Buffer[] {
  const slices: Buffer[] = []
  for (let start = 0; start < bytes.length; start += SLICE) slices.push(bytes.subarray(start, start + SLICE))
  return slices
}

/**
 * From now on, each write to this socket is passed on separately, until all is written. Node would
 * join waiting writes, and count a write until all of it is written: the progress of a slow reader
 * would not be visible.
 */
export function writeApart(socket: Duplex): void {
  if (Object.hasOwn(socket, '_writev')) return
  Object.defineProperty(socket, '_writev', { value: undefined, configurable: true })
  // A slice fills the socket's buffer, so that `drain` follows.
  socket.once('drain', () => Reflect.deleteProperty(socket, '_writev'))
}

/**
 * Writes bytes to a socket. Large ones are written in slices, so that `writableLength` falls while
 * they leave.
 * @returns `false` if the socket will emit `drain`
 */
export function writeSliced(socket: Duplex, bytes: Buffer): boolean {
  if (bytes.length <= SLICE) return socket.write(bytes)
  writeApart(socket)
  let hasRoom = true
  for (const slice of slicesOf(bytes)) hasRoom = socket.write(slice)
  return hasRoom
}

/** From now on large texts of this response are written in slices. */
export function sliceResponse(response: ServerResponse): void {
  const write = response.write.bind(response) as (chunk: unknown, ...rest: unknown[]) => boolean
  response.write = (chunk: unknown, ...rest: unknown[]) => {
    if (typeof chunk !== 'string' || chunk.length <= SLICE) return write(chunk, ...rest)
    if (response.socket) writeApart(response.socket)
    let hasRoom = true
    for (const slice of slicesOf(Buffer.from(chunk))) hasRoom = write(slice)
    return hasRoom
  }
}
