/** A real client talks to a real server, each a program of the application. */
import { randomUUID } from 'node:crypto'
import type { Application } from './application.js'
import type { Ended, Program } from './programs.js'
import type { Outcome } from './row.js'

/** What an exchange is made of. */
export interface Exchange {
  /** The server's fixture, below `fixtures`: `frameworks/express.mjs`. It says `listening on PORT`. */
  readonly server: string
  /** The package whose version is the row's. */
  readonly version: string
  /** What runs the server. @default `['node']` */
  readonly runner?: readonly string[]
  /** What runs the client. @default `['node']` */
  readonly clientRunner?: readonly string[]
  /** Options of the client. @default none */
  readonly client?: Readonly<Record<string, unknown>>
  /** Added to the server's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Added to the client's environment. `SIGN_IN` is a path that it posts to first, for its cookies. */
  readonly clientEnv?: Readonly<Record<string, string>>
  /** Whether clients that poll are tried, too. @default true */
  readonly polls?: boolean
  /** Looks at what else the server serves, at its URL. */
  readonly check?: (url: string, application: Application) => Promise<void>
}

/** Runs both, and ends both. @throws where the client did not come to its end, or the server left something open */
export async function exchange(application: Application, { version, ...parts }: Exchange): Promise<Outcome> {
  const server = await startServer(application, parts)
  const [, port] = await server.prints(/listening on (\d+)/)
  try {
    await callServer(application, String(port), parts)
    if (parts.polls ?? true) await checkPolling(`http://127.0.0.1:${port}`)
    await parts.check?.(`http://127.0.0.1:${port}`, application)
  } catch (error) {
    throw new Error(`${(error as Error).message}\nthe server: ${server.stdout}${server.stderr}`)
  }
  await endsByItself(server)
  return { version: await application.version(version) }
}

/** Whether clients that can't use WebSocket are served. @throws unless a session opens, and takes what they send */
async function checkPolling(url: string): Promise<void> {
  const session = `${url}/sockets/000/${randomUUID()}`
  const post = async (path: string, body?: string) => {
    const response = await fetch(`${session}/${path}`, { method: 'POST', ...(body && { body }) })
    return `${response.status} ${await response.text()}`
  }
  const answers = [await post('xhr'), await post('xhr_send', '["{}"]')]
  if (answers.join() !== '200 o\n,204 ') throw new Error(`polling was answered ${answers.join()}`)
}

/** Starts the server of an exchange, with the files that it needs. */
export async function startServer(
  application: Application,
  { server, runner = ['node'], env = {} }: Omit<Exchange, 'version'>,
): Promise<Program> {
  await application.copy('exchange')
  await application.copy(server, fileName(server))
  const [program = 'node', ...args] = runner
  return application.start(program, [...args, fileName(server)], { env })
}

/** Runs the client of an exchange to its end. */
export async function callServer(
  application: Application,
  port: string,
  { clientRunner = ['node'], client = {}, clientEnv = {} }: Partial<Exchange> = {},
): Promise<void> {
  const [program = 'node', ...args] = clientRunner
  const host = `http://127.0.0.1:${port}`
  const all = [...args, 'client.mjs', host, JSON.stringify(client)]
  const ended = await application.run(program, all, { timeout: 60_000, env: clientEnv })
  if (ended.code !== 0 || !ended.stdout.includes('done')) throw new Error(`the client: ${outputOf(ended)}`)
}

/** Asks a server to end. @throws unless it ends by itself with nothing left open */
export async function endsByItself(server: Program): Promise<void> {
  const code = await server.end()
  if (code !== 0 || !server.stdout.includes('closed')) {
    throw new Error(`the server ended with ${code}: ${server.stdout}${server.stderr}`)
  }
}

/** A server that is refused at its start, or warns. @returns the outcome with the message @throws unless it says so */
export async function refusal(
  application: Application,
  { version, message, ...parts }: Exchange & { readonly message: RegExp },
): Promise<Outcome> {
  const server = await startServer(application, parts)
  const [text] = await server.prints(message)
  return { version: await application.version(version), message: text }
}

function outputOf({ code, stdout, stderr }: Ended): string {
  return `exit code ${code}\n${stdout}${stderr}`
}

function fileName(path: string): string {
  return path.replace(/^.*\//, '')
}
