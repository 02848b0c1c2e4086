import type { Server } from 'node:http'
import type { Express, RequestHandler } from 'express'

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

/** Answers the requests of one HTTP server. */
interface Answerer extends Pick<TokenMount, 'handler' | 'cameElsewhere'> {
  readonly isClosed: boolean
}

type Answerers = Map<Server, Answerer>

/** By application and path. Express cannot take a route away again, so that each path has one for ever. */
const routes = new WeakMap<Express, Map<string, Answerers>>()

/**
 * Answers a token route for the requests that come by one HTTP server. Several servers can share the route of an
 * application, and a new one takes the place of those that are shut down.
 * @returns ends it
 */
export function mountTokenRoute({ app, path, server, closed, ...mount }: TokenMount): () => void {
  const paths = routes.get(app) ?? new Map<string, Answerers>()
  routes.set(app, paths)
  for (const answerers of paths.values()) forgetClosed(answerers)
  const answerers = paths.get(path) ?? addRoute(app, path)
  paths.set(path, answerers)
  const own = { ...mount, isClosed: false }
  answerers.set(server, own)
  return () => {
    if (answerers.get(server) === own) answerers.set(server, { handler: closed, isClosed: true })
  }
}

function forgetClosed(answerers: Answerers): void {
  for (const [server, { isClosed }] of answerers) if (isClosed) answerers.delete(server)
}

function addRoute(app: Express, path: string): Answerers {
  const answerers: Answerers = new Map()
  const dispatch: RequestHandler = (request, response, next) => {
    const { server } = request.socket as { readonly server?: Server }
    const own = server && answerers.get(server)
    const found = own ?? anyOf(answerers)
    if (server && !own) found?.cameElsewhere?.(server)
    return found ? found.handler(request, response, next) : next()
  }
  app.get(path, dispatch)
  app.post(path, dispatch)
  app.options(path, dispatch)
  return answerers
}

/** For a request that does not show its HTTP server, as behind a proxy inside the process: the oldest that is open. */
function anyOf(answerers: Answerers): Answerer | undefined {
  const all = [...answerers.values()]
  return all.find(({ isClosed }) => !isClosed) ?? all[0]
}
