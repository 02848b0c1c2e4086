import { createDeflateRaw, createInflateRaw, type ZlibOptions } from 'node:zlib'

/** Settings of compression (RFC 7692), as in `ws`. */
export interface PerMessageDeflateSettings {
  /**
   * Whether the compression window is reset before each message: worse compression, but less
   * memory. @default false
   */
  readonly serverNoContextTakeover?: boolean | undefined
  /** Whether the client is asked to do the same. @default false */
  readonly clientNoContextTakeover?: boolean | undefined
  /**
   * Size of the server's window, as a power of 2 from 8 to 15. @default 15, or the size that the
   * client asks for
   */
  readonly serverMaxWindowBits?: number | undefined
  /** Size of the client's window, as a power of 2 from 8 to 15. @default 15 */
  readonly clientMaxWindowBits?: number | undefined
  /**
   * Bytes below which a message is not compressed, if `serverNoContextTakeover` is set. @default
   * 1024
   */
  readonly threshold?: number | undefined
  /**
   * Messages that this process compresses at once, for all servers together. The first server's
   * value counts. @default 10
   */
  readonly concurrencyLimit?: number | undefined
  /** Settings for zlib's compression, such as `level` and `memLevel`. @default zlib's own */
  readonly zlibDeflateOptions?: Omit<ZlibOptions, 'dictionary'> | undefined
  /** Settings for zlib's decompression. @default zlib's own */
  readonly zlibInflateOptions?: Omit<ZlibOptions, 'dictionary'> | undefined
}

/** Whether and how WebSocket messages are compressed for clients that offer it. */
export type PerMessageDeflate = boolean | PerMessageDeflateSettings

/**
 * Tests the settings, which would otherwise throw with the first message. @throws RangeError or
 * TypeError of zlib
 */
export function tryCompression(settings: PerMessageDeflateSettings): void {
  const { serverMaxWindowBits = 15, clientMaxWindowBits = 15 } = settings
  createDeflateRaw({ ...settings.zlibDeflateOptions, windowBits: serverMaxWindowBits }).close()
  createInflateRaw({ ...settings.zlibInflateOptions, windowBits: clientMaxWindowBits }).close()
}
