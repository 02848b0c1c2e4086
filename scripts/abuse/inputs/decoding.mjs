// Frames, decoded without a server: a message, or a FrameError that names the field. Nothing else.
import { isDeepStrictEqual } from 'node:util'
import { decodeClientMessage, ERRORS, encodeClientMessage, FrameError } from '@token-socket/protocol'
import { Breach, shrink } from './breach.mjs'
import { ALL, frame } from './frames.mjs'
import { mutateText, value } from './values.mjs'

/** @returns why a text broke a promise, or `undefined` */
function faultOf(text) {
  let message
  try {
    decodeClientMessage(text)
    // JSON can write numbers that are too large for one: they are `null` when they are written again.
    message = decodeClientMessage(JSON.stringify(JSON.parse(text)))
  } catch (error) {
    if (error instanceof FrameError && Object.hasOwn(ERRORS, error.error.code)) return undefined
    return `decoding throws ${error}`
  }
  const again = decodeClientMessage(encodeClientMessage(message))
  return isDeepStrictEqual(JSON.stringify(again), JSON.stringify(message))
    ? undefined
    : 'it changes when it is encoded'
}

function textOf(random, index) {
  const kind = random.number(100)
  if (kind < 85) return frame(random, `id-${index}`, ALL)
  return kind < 95 ? value(random, 3) : mutateText(random, value(random, 3))
}

export function decoding(random, count) {
  for (let index = 0; index < count; index += 1) {
    const text = textOf(random, index)
    const fault = faultOf(text)
    if (fault)
      throw new Breach(
        fault,
        shrink(text, (shorter) => faultOf(shorter) !== undefined),
      )
  }
  return { answered: count, closed: 0 }
}
