import type { Server } from 'node:http'
import type { Express } from 'express'
import { badOption } from '../option-checks.js'

/** What a TokenSocketServer answers, and where. */
export interface ServedPaths {
  readonly app: Express
  readonly server: Server
  readonly prefix: string
  readonly tokenRoute: string
  readonly healthRoute: string | false
}

/** By HTTP server: the paths of the TokenSocketServers that run on it. */
const served = new WeakMap<Server, Set<ServedPaths>>()

/** @throws RpcError `bad_option` which names the option whose path another server on the same HTTP server has */
export function checkPathsAreFree(own: ServedPaths): void {
  for (const other of served.get(own.server) ?? []) {
    const option = conflict(own, other)
    if (option !== undefined) {
      const path = String(own[option])
      throw badOption(option, `(${path}) is used by another TokenSocketServer on this HTTP server`)
    }
  }
}

/** Keeps the paths of a server from others. @returns gives them back */
export function takePaths(own: ServedPaths): () => void {
  const all = served.get(own.server) ?? new Set()
  served.set(own.server, all.add(own))
  return () => void all.delete(own)
}

function conflict(own: ServedPaths, other: ServedPaths): 'prefix' | 'tokenRoute' | 'healthRoute' | undefined {
  if (isBelow(own.prefix, other.prefix) || isBelow(other.prefix, own.prefix)) return 'prefix'
  if (isBelow(other.tokenRoute, own.prefix) || isBelow(other.healthRoute, own.prefix)) return 'prefix'
  const isTaken = own.app === other.app && own.tokenRoute === other.tokenRoute
  if (isTaken || isBelow(own.tokenRoute, other.prefix) || own.tokenRoute === other.healthRoute)
    return 'tokenRoute'
  const { healthRoute } = own
  if (healthRoute === false) return undefined
  const needed = [other.healthRoute, other.tokenRoute]
  return isBelow(healthRoute, other.prefix) || needed.includes(healthRoute) ? 'healthRoute' : undefined
}

function isBelow(path: string | false, prefix: string): boolean {
  return `${path}/`.startsWith(`${prefix}/`)
}
