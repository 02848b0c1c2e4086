import type { RpcError } from '@token-socket/protocol'
import type { Engine } from './engine/engine.js'
import { badOption, checkLogger } from './options/option-checks.js'
import { appInstead, serverInstead } from './runtime/framework-parts.js'
import { describeGiven, isExpress, isHttpServer, takesHttp1 } from './runtime/given-value.js'

/** Options, of which nothing is known yet. */
type Given = Readonly<Record<string, unknown>>

/**
 * Checks the parts that a server is made with. Each error names the option, what was given, and what to give instead.
 * @throws RpcError `bad_option`
 */
export function checkParts(options: unknown): void {
  if (typeof options !== 'object' || options === null || isHttpServer(options)) throw notOneObject(options)
  const { app, server } = options as Given
  if (!isExpress(app))
    throw badOption('app', `has to be an Express application${notGiven(app)}: ${appInstead(app)}`)
  if (!isHttpServer(server)) throw badServer(server)
  if (!takesHttp1(server)) throw badOption('server', ONLY_HTTP2)
  checkFunctions(options as Given)
  checkSecret(options as Given)
}

const ONLY_HTTP2 =
  'has to take HTTP/1.1: give http2.createSecureServer({ allowHTTP1: true, … }), or an HTTP or HTTPS server'

function notOneObject(given: unknown): RpcError {
  const why = `has to be one object, not ${describeGiven(given)}: new TokenSocketServer({ app, server })`
  return badOption('options', why)
}

function badServer(server: unknown): RpcError {
  return badOption('server', `has to be an HTTP server${notGiven(server)}: ${serverInstead(server)}`)
}

function notGiven(value: unknown): string {
  return `, not ${describeGiven(value)}`
}

function checkFunctions(options: Given): void {
  const { authentication = 'auth', connectAuthentication, engine } = options
  const { customMiddleware = [], filter, logger } = options
  if (typeof authentication !== 'function' && (typeof authentication !== 'string' || authentication === ''))
    throw badOption('authentication', `has to be a session key or a function${notGiven(authentication)}`)
  if (connectAuthentication !== undefined && typeof connectAuthentication !== 'function')
    throw badOption('connectAuthentication', `has to be a function${notGiven(connectAuthentication)}`)
  if (engine !== undefined && typeof (engine as Partial<Engine> | null)?.broker?.publish !== 'function')
    throw badOption('engine', `has to be an engine, such as a MemoryEngine${notGiven(engine)}`)
  const other = [customMiddleware].flat().find((one) => typeof one !== 'function')
  if (other !== undefined || [customMiddleware].flat().includes(undefined as never))
    throw badOption('customMiddleware', `has to be Express middleware, or a list of it${notGiven(other)}`)
  if (filter !== undefined && typeof filter !== 'function')
    throw badOption('filter', `has to be a function${notGiven(filter)}`)
  checkLogger(logger)
  for (const name of ['socketController', 'routes'] as const) {
    const tree: unknown = options[name] ?? {}
    if (typeof tree !== 'object' || Array.isArray(tree) || options[name] === null)
      throw badOption(name, `has to be an object of functions${notGiven(options[name])}`)
  }
}

/** A secret is never in an error. */
function checkSecret({ secret, keys, engine, issuer, audience }: Given): void {
  for (const [name, text] of Object.entries({ issuer, audience }))
    if (text !== undefined && (typeof text !== 'string' || text === ''))
      throw badOption(name, 'has to be a string that is not empty')
  if (secret !== undefined && typeof secret !== 'string' && !ArrayBuffer.isView(secret))
    throw badOption('secret', `has to be a string or a Buffer${notGiven(secret)}: ${MAKE_SECRET}`)
  if ((secret as string | Buffer | undefined)?.length === 0)
    throw badOption('secret', `must not be empty: ${MAKE_SECRET}`)
  if (keys !== undefined && (typeof keys !== 'object' || keys === null || Object.keys(keys).length === 0))
    throw badOption('keys', 'has to be a table of keys: { [kid]: { algorithm, key } }')
  const { shared, name } = (engine ?? {}) as Partial<Engine>
  if (shared && secret === undefined && keys === undefined)
    throw badOption('secret', `has to be given: nodes that share the engine "${name}" need the same`)
}

const MAKE_SECRET = `make one by node -p "crypto.randomBytes(32).toString('hex')"`
