/** Names that the client, the legacy server and other libraries use for the options. */
export const OPTION_ALIASES: ReadonlyMap<string, string> = new Map([
  ['socketPrefix', 'prefix'],
  ['path', 'prefix'],
  ['tokenPath', 'tokenRoute'],
  ['cors', 'origins'],
  ['allowedOrigins', 'origins'],
  ['controller', 'socketController'],
  ['actions', 'socketController'],
  ['adapter', 'engine'],
  ['redisClient', 'engine'],
  ['pubsubClient', 'engine'],
  ['socketServer', 'server'],
  ['middleware', 'customMiddleware'],
  ['rules', 'channels'],
  ['log', 'logger'],
])
