import type { Application } from '../application.js'
import { type Exchange, exchange } from '../exchange.js'
import type { Outcome, Package, Row } from '../row.js'

interface Settings extends Partial<Row> {
  /** What the row installs besides the package of its name. */
  readonly more?: readonly Package[]
  readonly exchange?: Partial<Exchange>
}

/** Middleware that is mounted before the `TokenSocketServer`. @param name of its fixture, and of its package */
const middleware = (
  name: string,
  version: string,
  { more = [], exchange: parts, ...row }: Settings = {},
): Row => ({
  group: 'Middleware',
  name,
  packages: [{ name, version }, ...more],
  expected: 'works',
  run: (application) => exchange(application, { server: `middleware/${name}.mjs`, version: name, ...parts }),
  ...row,
})

const signsIn = { clientEnv: { SIGN_IN: '/sign-in' } }
const session: Package = { name: 'express-session', version: '^1.19.0' }

/** Sessions in a real Redis. */
async function withRedis(application: Application): Promise<Outcome> {
  const { url } = await application.redis()
  const env = { REDIS_URL: url }
  return exchange(application, {
    server: 'middleware/connect-redis.mjs',
    version: 'connect-redis',
    env,
    ...signsIn,
  })
}

export const rows: readonly Row[] = [
  middleware('express-session', '^1.19.0', { suite: true, exchange: signsIn }),
  middleware('cookie-session', '^2.0.0', { exchange: signsIn }),
  middleware('connect-redis', '^10.0.0', {
    more: [session, { name: 'redis', version: '^6.0.0' }],
    programs: ['REDIS_SERVER'],
    run: withRedis,
  }),
  middleware('passport', '^0.7.0', {
    more: [session, { name: 'passport-local', version: '^1.0.0' }],
    exchange: { clientEnv: { SIGN_IN: '/sign-in?username=ann&password=of-the-matrix' } },
    note: 'Mount `passport.session()` before, and read `req.user` in `authentication`.',
  }),
  middleware('helmet', '^8.0.0', { suite: true }),
  middleware('compression', '^1.8.0', { suite: true }),
  middleware('cors', '^2.8.0', { note: 'Name other origins in the option `origins`, too.' }),
  middleware('body-parser', '^2.0.0'),
  middleware('express-rate-limit', '^8.0.0'),
  middleware('morgan', '^1.10.0', { note: 'It logs the token route; upgrades and polls pass by Express.' }),
  middleware('pino-http', '^11.0.0', { note: 'Its `logger` fits the option `logger`.' }),
  {
    group: 'Middleware',
    name: 'a CSRF token in a header',
    packages: [],
    suite: true,
    expected: 'works',
    note: 'Give the header in the client’s option `headers`, or mount the middleware after the `TokenSocketServer`.',
    run: (application) =>
      exchange(application, {
        server: 'middleware/csrf-header.mjs',
        version: 'express',
        client: { headers: { 'X-CSRF-Token': 'of the page' } },
      }),
  },
]
