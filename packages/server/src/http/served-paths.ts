import type { Server } from 'node:http'
import type { Express } from 'express'
import { badOption } from '../options/option-checks.js'
import { processWide } from '../runtime/process-wide.js'

/** The paths that a TokenSocketServer answers. */
export interface ServedPaths {
  readonly app: Express
  readonly server: Server
  readonly prefix: string
  readonly tokenRoute: string
  readonly healthRoute: string | false
}

/** By HTTP server: the paths of its TokenSocketServers. */
const served = processWide<Server, Set<ServedPaths>>('served paths 1')

/** An option whose value is a path. */
type PathOption = 'prefix' | 'tokenRoute' | 'healthRoute'

/**
 * @throws RpcError `bad_option` with the option whose path another server on the same HTTP server
 *   has, and that path
 */
export function checkPathsAreFree(own: ServedPaths): void {
  for (const other of served.get(own.server) ?? []) {
    const [option, taken] = conflict(own, other) ?? []
    if (option === undefined || taken === undefined) continue
    const used = 'is used by another TokenSocketServer on this HTTP server'
    throw badOption(option, `(${own[option]}) ${used}, whose ${taken} is ${other[taken]}: ${REMEDY}`)
  }
}

const REMEDY = 'give each its own paths, or call shutdown() of the other one first'

/** Reserves the paths of a server. @returns a function that releases them */
export function takePaths(own: ServedPaths): () => void {
  const all = served.get(own.server) ?? new Set()
  served.set(own.server, all.add(own))
  return () => void all.delete(own)
}

/** Returns the option of the new server and that of the other one whose paths collide. */
function conflict(own: ServedPaths, other: ServedPaths): readonly [PathOption, PathOption] | undefined {
  return PAIRS.find(([option, taken]) => collide(own, other, [option, taken]))
}

/** In this order: the prefix explains more than a path below it. */
const PAIRS = [
  ['prefix', 'prefix'],
  ['prefix', 'tokenRoute'],
  ['prefix', 'healthRoute'],
  ['tokenRoute', 'tokenRoute'],
  ['tokenRoute', 'prefix'],
  ['tokenRoute', 'healthRoute'],
  ['healthRoute', 'prefix'],
  ['healthRoute', 'healthRoute'],
  ['healthRoute', 'tokenRoute'],
] as const satisfies readonly (readonly [PathOption, PathOption])[]

function collide(
  own: ServedPaths,
  other: ServedPaths,
  [option, taken]: readonly [PathOption, PathOption],
): boolean {
  const [path, used] = [own[option], other[taken]]
  if (path === false || used === false) return false
  if (option === 'prefix' || taken === 'prefix')
    return (option === 'prefix' && isBelow(used, path)) || (taken === 'prefix' && isBelow(path, used))
  // Token routes belong to an application: two applications, as of virtual hosts, may have the
  // same.
  if (option !== 'tokenRoute' || taken !== 'tokenRoute') return path === used
  return own.app === other.app && routeOf(own) === routeOf(other)
}

/** As Express compares paths. */
function routeOf({ app, tokenRoute }: ServedPaths): string {
  return app.enabled('case sensitive routing') ? tokenRoute : tokenRoute.toLowerCase()
}

function isBelow(path: string, prefix: string): boolean {
  return `${path}/`.startsWith(`${prefix}/`)
}
