import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { runInThisContext } from 'node:vm'
import type { TokenSocket } from '@token-socket/client'

const FILE = fileURLToPath(new URL('../../packages/client/dist/token-socket.min.js', import.meta.url))

/** The class that the small script for script tags defines. It runs in this program, with a browser's `WebSocket`. */
export function smallScript(): typeof TokenSocket {
  const page = globalThis as { WebSocket?: unknown; TokenSocket?: typeof TokenSocket }
  page.WebSocket ??= createRequire(import.meta.url)('ws')
  runInThisContext(readFileSync(FILE, 'utf8'))
  const { TokenSocket: Found } = page
  delete page.TokenSocket
  if (!Found) throw new Error(`${FILE} defines no TokenSocket`)
  return Found
}
