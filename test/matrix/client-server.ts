/** A real server for clients in environments of others, and what they did there. */
import { CONTROLLER, type SiteOptions } from '../end-to-end/fixture.js'
import type { Application } from './application.js'
import type { Ended } from './programs.js'

/** Calls a function of the client, with a time-out of its own. */
type Question = readonly [name: string, data: unknown, options?: { readonly timeout: number }]

/** Starts one. @param origins of pages that may connect @returns its URL */
export function serverFor(application: Application, origins: readonly string[] = []): Promise<string> {
  return serverOf(application, { origins })
}

/** Starts one with other options. @returns its URL */
export async function serverOf(application: Application, options: SiteOptions): Promise<string> {
  const { url } = await application.server({
    ...options,
    socketController: {
      ...CONTROLLER,
      askBack: (_auth, [name, data, options]: Question, _callback, socket) => socket.rpc(name, data, options),
    },
  })
  return url
}

/** @throws unless a program ended by itself, and well, and printed what is expected */
export function expectEnd(ended: Ended, printed: RegExp = /done/): void {
  const { code, stdout, stderr } = ended
  if (code === 0 && printed.test(stdout + stderr)) return
  throw new Error(`exit code ${code}\n${stdout}${stderr}`)
}
