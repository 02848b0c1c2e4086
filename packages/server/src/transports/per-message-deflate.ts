import { createDeflateRaw, createInflateRaw, type ZlibOptions } from 'node:zlib'

/** Settings of compression (RFC 7692), as `ws` has them. */
export interface PerMessageDeflateSettings {
  /** Forgets what it sent before each message: worse compression for less memory. @default false */
  readonly serverNoContextTakeover?: boolean | undefined
  /** Asks the client to do so. @default false */
  readonly clientNoContextTakeover?: boolean | undefined
  /** Size of the server's window, as a power of 2 from 8 to 15. @default 15, or what the client asks for */
  readonly serverMaxWindowBits?: number | undefined
  /** Size of the client's window, as a power of 2 from 8 to 15. @default 15 */
  readonly clientMaxWindowBits?: number | undefined
  /** Bytes below which a message is sent as it is, where `serverNoContextTakeover` holds. @default 1024 */
  readonly threshold?: number | undefined
  /** How many messages are compressed at once in this process, all servers together; the first server's counts. @default 10 */
  readonly concurrencyLimit?: number | undefined
  /** Settings for zlib's compression, such as `level` and `memLevel`. @default zlib's own */
  readonly zlibDeflateOptions?: Omit<ZlibOptions, 'dictionary'> | undefined
  /** Settings for zlib's decompression. @default zlib's own */
  readonly zlibInflateOptions?: Omit<ZlibOptions, 'dictionary'> | undefined
}

/** Whether WebSocket messages are compressed for clients that offer it, and how. */
export type PerMessageDeflate = boolean | PerMessageDeflateSettings

/** Tries the settings out, which would throw with the first message otherwise. @throws RangeError or TypeError, zlib's */
export function tryCompression(settings: PerMessageDeflateSettings): void {
  const { serverMaxWindowBits = 15, clientMaxWindowBits = 15 } = settings
  createDeflateRaw({ ...settings.zlibDeflateOptions, windowBits: serverMaxWindowBits }).close()
  createInflateRaw({ ...settings.zlibInflateOptions, windowBits: clientMaxWindowBits }).close()
}
