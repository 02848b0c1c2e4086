import { hasMethods } from './given-value.js'

/** What to pass as `app` and as `server`, instead of an object of another framework. */
interface Framework {
  /** Methods that, together, only its objects have. */
  readonly methods: readonly string[]
  readonly app: string
  readonly server: string
}

const OWN_SERVER = 'make one by http.createServer(app), and call its listen instead of app.listen'

const FRAMEWORKS: readonly Framework[] = [
  {
    methods: ['getHttpAdapter', 'getHttpServer'],
    app: "give the application of Nest's Express adapter, app.getHttpAdapter().getInstance()",
    server: "give Nest's HTTP server, app.getHttpServer()",
  },
  {
    methods: ['getInstance', 'getHttpServer'],
    app: "give the Express adapter's application, getInstance()",
    server: "give the adapter's HTTP server, getHttpServer()",
  },
  {
    methods: ['inject', 'register', 'decorate'],
    app: 'register @fastify/express, and give fastify.express',
    server: "give Fastify's HTTP server, fastify.server",
  },
  {
    methods: ['callback', 'createContext'],
    app: 'make one by express(), and call app.use(koa.callback()) after the TokenSocketServer',
    server: OWN_SERVER,
  },
]

/** Suggests what to pass as `app`. */
export function appInstead(given: unknown): string {
  return frameworkOf(given)?.app ?? 'give what express() returns, and mount routers on that'
}

/** Suggests what to pass as `server`. */
export function serverInstead(given: unknown): string {
  return frameworkOf(given)?.server ?? OWN_SERVER
}

function frameworkOf(given: unknown): Framework | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  return FRAMEWORKS.find(({ methods }) => hasMethods(given, methods))
}
