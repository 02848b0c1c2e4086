import type { Express, RequestHandler } from 'express'

/** What a router keeps of a route, in Express 4 and 5. */
interface Layer {
  readonly route?: unknown
}

interface Router {
  stack: readonly Layer[]
}

/**
 * Puts a route for GET, POST and OPTIONS on an application, behind what is there already.
 * @returns a function that takes it away, which Express has no method for. Where the router shows
 *   no layers, it stays
 */
export function addRoute(app: Express, path: string, handler: RequestHandler): () => void {
  const route = app.route(path).get(handler).post(handler).options(handler)
  return () => {
    const router = routerOf(app)
    // A new list: requests that are under way go through the one that they began with.
    if (router) router.stack = router.stack.filter((layer) => layer.route !== route)
  }
}

/** Express 4 has it as `_router`, and a getter that throws as `router`. */
function routerOf(app: Express): Router | undefined {
  const { _router } = app as unknown as { readonly _router?: unknown }
  const router: unknown = _router ?? app.router
  return Array.isArray((router as Partial<Router> | undefined)?.stack) ? (router as Router) : undefined
}
