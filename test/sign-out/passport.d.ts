/** The parts of Passport that tests use. Its own types would change those of Express for all tests. */
declare module 'passport' {
  import type { RequestHandler } from 'express'

  type Done = (error: unknown, value?: unknown) => void

  export class Passport {
    use(strategy: object): this
    serializeUser(serialize: (user: unknown, done: Done) => void): void
    deserializeUser(deserialize: (id: unknown, done: Done) => void): void
    session(): RequestHandler
    authenticate(name: string): RequestHandler
  }

  const passport: { readonly Passport: typeof Passport }
  export default passport
}
