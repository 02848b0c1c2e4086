import { hasMethods } from './given-value.js'

/** What to give as `app` and as `server`, in place of an object of another framework. */
interface Framework {
  /** Methods that together only its objects have. */
  readonly methods: readonly string[]
  readonly app: string
  readonly server: string
}

const EXPRESS_BESIDE = 'make one by express() for the token route, and pass it the requests of that route'

const FRAMEWORKS: readonly Framework[] = [
  {
    methods: ['getHttpAdapter', 'getHttpServer'],
    app: "give Nest's Express application, app.getHttpAdapter().getInstance()",
    server: "give Nest's HTTP server, app.getHttpServer()",
  },
  {
    methods: ['getInstance', 'getHttpServer'],
    app: "give the adapter's Express application, getInstance()",
    server: "give the adapter's HTTP server, getHttpServer()",
  },
  {
    methods: ['inject', 'register', 'decorate'],
    app: EXPRESS_BESIDE,
    server: "give Fastify's HTTP server, fastify.server",
  },
  {
    methods: ['callback', 'createContext'],
    app: EXPRESS_BESIDE,
    server: 'make one by http.createServer(koa.callback()), and call its listen instead of koa.listen',
  },
]

/** What to give as `app` instead of a wrong value. */
export function appInstead(given: unknown): string {
  return frameworkOf(given)?.app ?? 'give what express() returns, and mount routers on that'
}

/** What to give as `server` instead of a wrong value. */
export function serverInstead(given: unknown): string {
  const own = 'make one by http.createServer(app), and call its listen instead of app.listen'
  return frameworkOf(given)?.server ?? own
}

function frameworkOf(given: unknown): Framework | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  return FRAMEWORKS.find(({ methods }) => hasMethods(given, methods))
}
