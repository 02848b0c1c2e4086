import { nearestName } from '@token-socket/protocol'
import { optionNames } from '../options.js'

/** What other libraries call an option, and what it is called here. */
const HABITS: Readonly<Record<string, string>> = {
  auth: 'authentication',
  autoConnect: 'lazy',
  extraHeaders: 'headers',
  hostname: 'host',
  path: 'socketPrefix',
  prefix: 'socketPrefix',
  query: 'authentication',
  reconnection: 'reconnect',
  timeout: 'connectTimeout',
  tokenRoute: 'tokenPath',
  uri: 'host',
  url: 'host',
}

const LIMITS = ['callsOut', 'callsIn', 'grantedChannels']

/** What is unusual about a socket's options: names that mean nothing, and a URL in place of them. */
export function optionAdvice(options: unknown): readonly string[] {
  if (typeof options === 'string')
    return [`Give the server as an option: new TokenSocket({ host: '${options}' }).`]
  if (typeof options !== 'object' || options === null) return []
  const { limits } = options as { readonly limits?: unknown }
  return [
    ...unknownNames(options, optionNames(), 'option '),
    ...(typeof limits === 'object' && limits ? unknownNames(limits, LIMITS, 'option limits.') : []),
  ]
}

function unknownNames(given: object, names: readonly string[], kind: string): readonly string[] {
  const wrong = Object.keys(given).filter((name) => !names.includes(name))
  return wrong.map((name) => {
    const meant = (Object.hasOwn(HABITS, name) && HABITS[name]) || nearestName(name, names)
    return `There is no ${kind}${name}, so it is ignored.${meant ? ` Did you mean ${meant}?` : ''}`
  })
}
