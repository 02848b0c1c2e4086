import { nearestName } from '@token-socket/protocol'
import { optionNames } from '../settings/options.js'

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
}

const FOR_HOST =
  'The address of the server is the option host; url is a function that gives the URL of a WebSocket.'

const NOT_WITH_TOKEN =
  'The option authentication goes with requests to the token route. With the option token there are none, so it is ignored.'

const LIMITS = ['callsOut', 'callsIn', 'grantedChannels']

/** What is unusual about a socket's options: names that mean nothing, and a URL in place of them. */
export function optionAdvice(options: unknown): readonly string[] {
  if (typeof options === 'string')
    return [`Give the server as an option: new TokenSocket({ host: '${options}' }).`]
  if (typeof options !== 'object' || options === null) return []
  const { limits, url, token, authentication } = options as Readonly<Record<string, unknown>>
  return [
    ...(typeof url === 'string' ? [FOR_HOST] : []),
    ...(token && authentication ? [NOT_WITH_TOKEN] : []),
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
