import { badOption, NAME_LIMITS } from '@token-socket/protocol'
import type { ChannelDefinition, ChannelDefinitions } from './channel-definitions.js'
import { splitPattern } from './channel-names.js'
import { isSchema } from './schema.js'

/** @throws RpcError `bad_option`, which names the channel */
export function checkChannels(channels: ChannelDefinitions = {}): void {
  if (!isObject(channels)) throw badOption('channels', 'an object')
  for (const [pattern, channel] of Object.entries(channels)) {
    const wrong = wrongPattern(pattern)
    if (wrong) throw badOption(`channels.${pattern}`, wrong)
    const { events, presence } = Object(channel) as ChannelDefinition
    if (!isObject(events)) throw badOption(`channels.${pattern}.events`, 'an object')
    for (const [event, schema] of Object.entries(events)) {
      const field = `channels.${pattern}.events.${event}`
      if (event === '' || event.length > NAME_LIMITS.event)
        throw badOption(field, `a name of at most ${NAME_LIMITS.event} characters`)
      if (!isSchema(schema)) throw badOption(field, 'a schema')
    }
    if (presence !== undefined && !isSchema(presence)) {
      throw badOption(`channels.${pattern}.presence`, 'a schema')
    }
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** @returns the requirement that the pattern fails; `undefined` if it is valid */
function wrongPattern(pattern: string): string | undefined {
  const pieces = splitPattern(pattern)
  const texts = pieces.filter((_, at) => at % 2 === 0)
  const names = pieces.filter((_, at) => at % 2 === 1)
  const text = texts.join('')
  if (pattern === '') return 'a name'
  if (/[{}%*]|^#/.test(text)) return 'a name without { } % * and without # in front, with {parameters}'
  if (new Set(names).size < names.length) return 'a name whose parameters differ'
  if (texts.slice(1, -1).includes('') || texts.slice(1).some((after) => /^\w/.test(after)))
    return 'a name with a character that is no letter, digit or _ after each parameter'
  return text.length + names.length > NAME_LIMITS.channel ? 'shorter' : undefined
}
