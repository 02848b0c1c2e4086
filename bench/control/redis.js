import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { findExecutables } from '../../scripts/executables.mjs'
import { Child } from './child.js'
import { CORES } from './pinning.js'

/**
 * Starts a Redis of the bench's own, which keeps nothing.
 * @returns {Promise<{ port: number, stop(): Promise<void> } | undefined>} nothing if there is no redis-server
 */
export async function startRedis() {
  const { REDIS_SERVER: program } = findExecutables()
  if (!program) return undefined
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const command = [program, ...settings]
  const child = new Child({ name: 'Redis', core: CORES.loader, command, ipc: false })
  for (let i = 0; i < 100; i += 1) {
    if (await accepts(port)) return { port, stop: () => child.stop() }
    await sleep(50)
  }
  throw new Error('Redis did not start')
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
