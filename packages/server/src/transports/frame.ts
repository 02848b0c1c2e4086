/** First byte of a final text frame: FIN and opcode 1. */
const FINAL_TEXT = 0x81

/**
 * A text as one WebSocket frame, header and all, as a server sends it: final, text, not masked.
 * Source: RFC 6455, section 5.2.
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

/** The text inside a frame that {@link encodeTextFrame} made, as bytes. */
export function payloadOf(frame: Buffer): Buffer {
  const [, size = 0] = frame
  return frame.subarray(size < 126 ? 2 : size === 126 ? 4 : 10)
}

/** Bytes of a frame that is kept until the next one, at most. */
const LARGE = 64 * 1024

/**
 * Makes frames of batches and remembers the last one: the subscribers of a channel get the same messages in the same
 * turn, so that one frame serves them all.
 */
export class BatchFrames {
  readonly #join: (messages: readonly string[]) => string
  #messages: readonly string[] = []
  #frame: Buffer | undefined
  #isForgetting = false

  /** @param join the text that carries several messages */
  constructor(join: (messages: readonly string[]) => string) {
    this.#join = join
  }

  /** The frame of a batch; the caller must not change it. */
  encode(messages: readonly string[]): Buffer {
    if (!this.#frame || !isSame(messages, this.#messages)) {
      this.#messages = messages
      this.#frame = encodeTextFrame(this.#join(messages))
      if (this.#frame.length > LARGE) this.#forgetSoon()
    }
    return this.#frame
  }

  /** Forgets the last batch. A large one is forgotten when the sockets of this turn have it. */
  readonly forget = (): void => {
    this.#isForgetting = false
    this.#messages = []
    this.#frame = undefined
  }

  #forgetSoon(): void {
    if (this.#isForgetting) return
    this.#isForgetting = true
    setImmediate(this.forget)
  }
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false
  return true
}
