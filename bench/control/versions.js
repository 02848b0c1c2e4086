import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** What was measured, for the output. */
export function versions() {
  const versionOf = (path) =>
    JSON.parse(readFileSync(new URL(`${path}/package.json`, new URL('../', import.meta.url)), 'utf8')).version
  const installed = (name) => versionOf(`node_modules/${name}`)
  return {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    peers: {
      'token-socket': `${versionOf('../packages/server')} (ws ${versionOf('../node_modules/ws')})`,
      ws: installed('ws'),
      'socket.io': installed('socket.io'),
      '@socket.io/redis-adapter': `${installed('@socket.io/redis-adapter')} (redis ${installed('redis')})`,
      '@socket.io/redis-streams-adapter': installed('@socket.io/redis-streams-adapter'),
      'rpc-websockets': installed('rpc-websockets'),
      sockjs: installed('sockjs'),
      'token-sockjs': `${installed('node-token-sockjs')} (redis ${installed('redis-0.12')})`,
    },
  }
}
