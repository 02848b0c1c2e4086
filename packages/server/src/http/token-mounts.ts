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
  /** Answers once the server is shut down, until the next server is made on the application. */
  readonly closed: RequestHandler
  /** A request came by an HTTP server that has no mount of its own: this one answers it. @default nothing */
  readonly cameElsewhere?: (other: Server) => void
}

/**
 * Ends what a server answers on a path.
 * @param isFinal whether the path is the application's at once; or else it is answered 503 until
 *   the next server is made
 */
export type Unmount = (isFinal: boolean) => void

/** Answers the requests of one HTTP server. */
interface Answerer extends Pick<TokenMount, 'handler' | 'cameElsewhere'> {
  readonly isClosed: boolean
}

/** The route of one path, and who answers it. */
interface Mounted {
  readonly answerers: Map<Server, Answerer>
  readonly remove: () => void
}

/** By application and path. A path has one route, however many servers come and go. */
const routes = processWide<Express, Map<string, Mounted>>('token routes 1')

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
  mounted.answerers.set(server, own)
  paths.set(path, mounted)
  forgetClosed(paths)
  return (isFinal) => {
    const present = mounted.answerers.get(server)
    if (present !== own && present?.handler !== closed) return
    mounted.answerers.set(server, { handler: closed, isClosed: true })
    if (!isFinal) return
    mounted.answerers.delete(server)
    removeEmpty(paths)
  }
}

function forgetClosed(paths: Map<string, Mounted>): void {
  for (const { answerers } of paths.values()) {
    for (const [server, { isClosed }] of answerers) if (isClosed) answerers.delete(server)
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
    const found = own ?? anyOf(answerers)
    if (server && !own) found?.cameElsewhere?.(server)
    return found ? found.handler(request, response, next) : next()
  })
  return { answerers, remove }
}

/** For a request that does not show its HTTP server, as behind a proxy inside the process: the oldest that is open. */
function anyOf(answerers: Mounted['answerers']): Answerer | undefined {
  const all = [...answerers.values()]
  return all.find(({ isClosed }) => !isClosed) ?? all[0]
}
