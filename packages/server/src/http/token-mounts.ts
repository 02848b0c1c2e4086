import type { Server } from 'node:http'
import type { Express, RequestHandler } from 'express'
import { processWide } from '../runtime/process-wide.js'
import { addRoute } from './router-layers.js'

/** One server's part of an application's token route. */
export interface TokenMount {
  readonly app: Express
  readonly path: string
  /** The HTTP server whose requests it answers. */
  readonly server: Server
  readonly handler: RequestHandler
  /**
   * Answers after the shutdown of the server, until the next one is created on the application and
   * HTTP server.
   */
  readonly closed: RequestHandler
  /**
   * Called for a request on an HTTP server without a mount of its own, which this one answers.
   * @default nothing
   */
  readonly cameElsewhere?: (other: Server) => void
}

/**
 * Ends a server's answers on a path.
 * @param isFinal whether the path returns to the application at once; otherwise it is answered 503
 *   until the next server is created on the same application and HTTP server
 */
export type Unmount = (isFinal: boolean) => void

/** Answers the requests of one HTTP server. */
interface Answerer extends Pick<TokenMount, 'handler' | 'cameElsewhere'> {
  readonly isClosed: boolean
}

/** The route of one path, and the functions that answer it. */
interface Mounted {
  readonly answerers: Map<Server, Answerer>
  readonly remove: () => void
}

/** By application and path. A path has one route, for any number of servers. */
const routes = processWide<Express, Map<string, Mounted>>('token routes 1')

/** By application: the HTTP servers that its TokenSocketServers have or had. */
const given = processWide<Express, WeakSet<Server>>('servers of token routes 1')

/**
 * Answers a token route for the requests on one HTTP server. Several servers can share the route of
 * an application, and a new one replaces those that were shut down. Running requests are answered.
 * @returns a function that ends it
 */
export function mountTokenRoute({ app, path, server, closed, ...mount }: TokenMount): Unmount {
  const paths = routes.get(app) ?? new Map<string, Mounted>()
  routes.set(app, paths)
  // It keeps its position before the application's other routes.
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
 * Also those of closed HTTP servers: no request arrives on them, and there may be any number of
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
 * Answers a request that arrived on no HTTP server of an answerer, or does not show on which, as
 * behind a proxy inside the process: by the oldest open one.
 * @param isGiven whether that HTTP server has or had TokenSocketServers: then a shutdown at another
 *   one means nothing for it
 */
function otherOf(answerers: Mounted['answerers'], isGiven: boolean): Answerer | undefined {
  const all = [...answerers.values()]
  return all.find(({ isClosed }) => !isClosed) ?? (isGiven ? undefined : all[0])
}
