import { fileURLToPath } from 'node:url'
import { Child } from './child.js'
import { CORES } from './pinning.js'

const folder = fileURLToPath(new URL('..', import.meta.url))

/**
 * Starts a server and a loader, and ends them when the measurement is done.
 * @template T
 * @param {{ peer: string, profile: string | undefined }} what
 * @param {(pair: { server: Child, loader: Child }) => Promise<T>} run
 * @returns {Promise<T>}
 */
export async function withPair({ peer, profile }, run) {
  const server = startServer(peer, profile)
  const loader = startLoader(peer)
  try {
    return await run({ server, loader })
  } finally {
    await Promise.all([server.stop(), loader.stop()])
  }
}

/** The server of a peer. TokenSocket finds `ws` in the root folder: NODE_PATH lets it have the same add-on to it as the peers. */
export function startServer(peer, profile) {
  const env = { NODE_PATH: `${folder}node_modules` }
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []
  const command = [process.execPath, '--expose-gc', ...flags, `${folder}peers/server.js`]
  return new Child({ name: `the server of ${peer}`, core: CORES.server, command, env })
}

/** The loader of a peer. */
export function startLoader(peer) {
  const command = [process.execPath, `${folder}loader/loader.js`]
  return new Child({ name: `the loader of ${peer}`, core: CORES.loader, command })
}

/** Nothing runs when a mark is taken: all operations are done. A server of several nodes has the CPU time of all. */
export async function marks(server, loader) {
  const [first, ...others] = await Promise.all([server].flat().map((node) => node.ask('mark')))
  const cpu = others.reduce((sum, mark) => sum + mark.cpu, first.cpu)
  return { server: { cpu, time: first.time }, loader: await loader.ask('mark') }
}

/** How much of a core a process took between two marks. */
export function busy(before, after) {
  return (after.cpu - before.cpu) / (after.time - before.time)
}
