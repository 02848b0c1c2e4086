import type { Server } from 'node:http'
import type { Express, RequestHandler } from 'express'
import { processWide } from '../runtime/process-wide.js'
import { addRoute } from './router-layers.js'

/** One server's part in the token route of an application. */
export interface TokenMount {
  readonly app: Express
  readonly path: string
  /** The HTTP server whose requests it answers. */
  readonly server: Server
  readonly handler: RequestHandler
  /**
   * Answers once the server is shut down, until the next one is made on the application and HTTP
   * server.
   */
  readonly closed: RequestHandler
  /** A request came by an HTTP server that has no mount of its own: this one answers it. @default nothing */
  readonly cameElsewhere?: (other: Server) => void
}

/**
 * Ends what a server answers on a path.
 * @param isFinal whether the path is the application's at once; or else it is answered 503 until
 *   the next server is made on the same application and HTTP server
 */
export type Unmount = (isFinal: boolean) => void

/** Answers the requests of one HTTP server. */
interface Answerer extends Pick<TokenMount, 'handler' | 'cameElsewhere'> {
  readonly isClosed: boolean
}

/** The route of one path, and what answers it. */
interface Mounted {
  readonly answerers: Map<Server, Answerer>
  readonly remove: () => void
}

/** By application and path. A path has one route, however many servers come and go. */
const routes = processWide<Express, Map<string, Mounted>>('token routes 1')

/** By application: the HTTP servers that its TokenSocketServers have, or had. */
const given = processWide<Express, WeakSet<Server>>('servers of token routes 1')

/**
 * Answers a token route for the requests that come by one HTTP server. Several servers can share
 * the route of an application, and a new one takes the place of those that are shut down. Requests
 * that are under way are answered.
 * @returns ends it
 */
export function mountTokenRoute({ app, path, server, closed, ...mount }: TokenMount): Unmount {
  const paths = routes.get(app) ?? new Map<string, Mounted>()
  routes.set(app, paths)
  // Where it stood before the application's other routes, it stands there again.
  const mounted = paths.get(path) ?? mountPath(app, path)
  const own: Answerer = { ...mount, isClosed: false }
  // At the end: the first is the oldest.
  mounted.answerers.delete(server)
  mounted.answerers.set(server, own)
  paths.set(path, mounted)
  given.set(app, (given.get(app) ?? new WeakSet()).add(server))
  forgetClosed(paths, server)
  return (isFinal) => {
    const present = mounted.answerers.get(server)
    if (present !== own && present?.handler !== closed) return
    mounted.answerers.set(server, { handler: closed, isClosed: true })
    if (!isFinal) return
    mounted.answerers.delete(server)
    removeEmpty(paths)
  }
}

/**
 * Also of HTTP servers that are closed: no request comes by them, and there may be any number of
 * them.
 */
function forgetClosed(paths: Map<string, Mounted>, next: Server): void {
  for (const { answerers } of paths.values()) {
    for (const [server, { isClosed }] of answerers)
      if (isClosed && (server === next || !server.listening)) answerers.delete(server)
  }
  removeEmpty(paths)
}

function removeEmpty(paths: Map<string, Mounted>): void {
  for (const [path, { answerers, remove }] of paths) {
    if (answerers.size > 0) continue
    paths.delete(path)
    remove()
  }
}

function mountPath(app: Express, path: string): Mounted {
  const answerers: Mounted['answerers'] = new Map()
  const remove = addRoute(app, path, (request, response, next) => {
    const { server } = request.socket as { readonly server?: Server }
    const own = server && answerers.get(server)
    const found = own ?? otherOf(answerers, server !== undefined && given.get(app)?.has(server) === true)
    if (server && !own) found?.cameElsewhere?.(server)
    return found ? found.handler(request, response, next) : next()
  })
  return { answerers, remove }
}

/**
 * For a request that came by no HTTP server of an answerer, or does not show it, as behind a proxy
 * inside the process: the oldest that is open.
 * @param isGiven whether that HTTP server has TokenSocketServers, or had: then a shutdown at
 *   another one means nothing for it
 */
function otherOf(answerers: Mounted['answerers'], isGiven: boolean): Answerer | undefined {
  const all = [...answerers.values()]
  return all.find(({ isClosed }) => !isClosed) ?? (isGiven ? undefined : all[0])
}
