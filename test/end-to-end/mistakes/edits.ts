/** The lines of the reference's first programs that developers get wrong. */
import type { Edit } from './first-programs.js'

/** In the server. */
export const SESSION = "app.use(session({ secret: 'change me', resave: false, saveUninitialized: false }))\n"
export const SECRET = "secret: 'at least 32 bytes of randomness!', "
export const MAKE = `const sockets = new TokenSocketServer({ app, server, ${SECRET}socketController })\n`
export const LISTEN =
  "server.listen(process.env.PORT ?? 3000, () => console.log('listening on', server.address().port))"
export const VETO = "sockets.on('publish', (socket, { channel }) => channel !== 'news')"
export const ECHO = 'echo: (auth, data) => data,'

/** In the client. */
export const OPTIONS = '{ host, headers: { cookie } }'
export const CALL = "console.log(await socket.rpc('people.whoami')) // Ann"
export const SUBSCRIBE = "await socket.subscribe('chat')"
export const PUBLISH = "await socket.publish('chat', { text: 'Hello' }) // chat { text: 'Hello' }"

/** The server with a function that calls the client's `ask`, for a short time. */
export const ASKING: Edit = [
  ECHO,
  "echo: (auth, data, callback, socket) => socket.rpc('ask', 1, { timeout: 500 }),",
]

/** The server with more options. */
export function withOptions(more: string): Edit {
  return [MAKE, MAKE.replace('socketController })', `socketController, ${more} })`)]
}

/** The server made otherwise. */
export function made(how: string): Edit {
  return [MAKE, `const sockets = new TokenSocketServer(${how})\n`]
}

/** The server with other lines in the place of its veto. */
export function instead(lines: string): Edit {
  return [VETO, lines]
}

/** The client with other options. */
export function opened(options: string): Edit {
  return [OPTIONS, `{ ${options} }`]
}

/** The client with other lines in the place of its call. */
export function calling(lines: string): Edit {
  return [CALL, lines]
}
