import type { Express, RequestHandler } from 'express'

/** The layer of a route in a router of Express 4 and 5. */
interface Layer {
  readonly route?: unknown
}

interface Router {
  stack: readonly Layer[]
}

/**
 * Adds a route for GET, POST and OPTIONS to an application, after the existing ones.
 * @returns a function that removes it, for which Express has no method. If the router shows no
 *   layers, it stays
 */
export function addRoute(app: Express, path: string, handler: RequestHandler): () => void {
  const route = app.route(path).get(handler).post(handler).options(handler)
  return () => {
    const router = routerOf(app)
    // A new list: running requests continue with their own.
    if (router) router.stack = router.stack.filter((layer) => layer.route !== route)
  }
}

/** Express 4 has it as `_router`, and as `router` a getter that throws. */
function routerOf(app: Express): Router | undefined {
  const { _router } = app as unknown as { readonly _router?: unknown }
  const router: unknown = _router ?? app.router
  return Array.isArray((router as Partial<Router> | undefined)?.stack) ? (router as Router) : undefined
}
