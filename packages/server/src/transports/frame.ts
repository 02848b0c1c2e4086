import { eventLoop } from '../runtime/event-loop.js'

/** First byte of a final text frame: FIN and opcode 1. */
const FINAL_TEXT = 0x81

/**
 * Encodes a text as one WebSocket frame of a server: final, text, not masked. Source: RFC 6455,
 * section 5.2.
 */
export function encodeTextFrame(text: string): Buffer {
  const size = Buffer.byteLength(text)
  const header = size < 126 ? 2 : size < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(header + size)
  frame[0] = FINAL_TEXT
  if (header === 2) frame[1] = size
  else if (header === 4) {
    frame[1] = 126
    frame.writeUInt16BE(size, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(size), 2)
  }
  frame.write(text, header)
  return frame
}

/** Encodes texts as frames, one each, in one buffer. */
export function encodeTextFrames(texts: readonly string[]): Buffer {
  const [first = ''] = texts
  return texts.length === 1 ? encodeTextFrame(first) : Buffer.concat(texts.map(encodeTextFrame))
}

/** Returns the text inside a frame of {@link encodeTextFrame}, as bytes. */
export function payloadOf(frame: Buffer): Buffer {
  const [, size = 0] = frame
  return frame.subarray(size < 126 ? 2 : size === 126 ? 4 : 10)
}

/** Bytes of a frame that is cached until the next one, at most. */
const LARGE = 64 * 1024

/**
 * Encodes batches of messages, and caches the last one. The subscribers of a channel get the same
 * messages in the same turn, and share the frame.
 */
export class BatchFrames {
  readonly #encode: (messages: readonly string[]) => Buffer
  #messages: readonly string[] = []
  #frame: Buffer | undefined
  #isForgetting = false

  /** @param encode returns the frame, or the frames, of several messages */
  constructor(encode: (messages: readonly string[]) => Buffer) {
    this.#encode = encode
  }

  /** Returns the frame of a batch. The caller must not change it. */
  encode(messages: readonly string[]): Buffer {
    if (!this.#frame || !isSame(messages, this.#messages)) {
      this.#messages = messages
      this.#frame = this.#encode(messages)
      if (this.#frame.length > LARGE) this.#forgetSoon()
    }
    return this.#frame
  }

  /**
   * Removes the last batch from the cache. A large one is removed when the sockets of this turn
   * have it.
   */
  readonly forget = (): void => {
    this.#isForgetting = false
    this.#messages = []
    this.#frame = undefined
  }

  #forgetSoon(): void {
    if (this.#isForgetting) return
    this.#isForgetting = true
    eventLoop.setImmediate(this.forget)
  }
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false
  return true
}
