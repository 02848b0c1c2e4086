import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/**
 * The files of the client's package that are served, by the name in the URL. Source maps are for
 * debugging.
 */
const TYPES: ReadonlyMap<string, string> = new Map(
  [
    'token-socket.js',
    'token-socket.min.js',
    'token-socket.full.min.js',
    'token-socket.fallback.min.js',
  ].flatMap((name) => [
    [name, 'text/javascript; charset=utf-8'],
    [`${name}.map`, 'application/json; charset=utf-8'],
  ]),
)

interface ClientFile {
  readonly plain: Buffer
  readonly gzipped: Buffer
  readonly etag: string
}

/**
 * The script-tag builds of the client, as `@token-socket/client` has them, read once. They are public: a visitor who may
 * load the script still needs a token.
 */
export class ClientFiles {
  readonly #files = new Map<string, Promise<ClientFile>>()
  readonly #resolve: (name: string) => string

  /** @param resolve the path of a file; throws if the client's package is not installed */
  constructor(resolve: (name: string) => string = resolveClientFile) {
    this.#resolve = resolve
  }

  /** Whether there is a file of that name to serve. */
  has(name: string): boolean {
    return TYPES.has(name)
  }

  /** Answers a request for a file that {@link has} knows: 200, 304, or 404 where the package is not installed. */
  async handle(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return end(response, 405, { Allow: 'GET, HEAD' })
    }
    const file = await this.#read(name).catch(() => undefined)
    if (!file)
      return end(response, 404, {}, '@token-socket/client is not installed beside the server, or not built\n')
    const headers = {
      ETag: file.etag,
      // Requested each time, and answered by 304: a page with the script's hash must never get an
      // older script.
      'Cache-Control': 'public, max-age=0, must-revalidate',
      Vary: 'Accept-Encoding',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    }
    if (matches(request.headers['if-none-match'], file.etag)) return end(response, 304, headers)
    const isGzipped = /\bgzip\b/.test(String(request.headers['accept-encoding']))
    const body = isGzipped ? file.gzipped : file.plain
    response.writeHead(200, {
      ...headers,
      ...(isGzipped && { 'Content-Encoding': 'gzip' }),
      'Content-Type': TYPES.get(name),
      'Content-Length': body.length,
      'X-Content-Type-Options': 'nosniff',
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  #read(name: string): Promise<ClientFile> {
    const known = this.#files.get(name)
    if (known) return known
    const file = read(name, this.#resolve)
    this.#files.set(name, file)
    // The package may be installed or built before the next request.
    file.catch(() => this.#files.delete(name))
    return file
  }
}

async function read(name: string, resolve: (name: string) => string): Promise<ClientFile> {
  const plain = await readFile(resolve(name))
  const hash = createHash('sha256').update(plain).digest('base64url')
  return { plain, gzipped: await promisify(gzip)(plain, { level: 9 }), etag: `W/"${hash}"` }
}

/**
 * The client's package is resolved as the program itself would resolve it: from its main file, or
 * from its working directory.
 */
function resolveClientFile(name: string): string {
  const places = [process.argv[1], `${process.cwd()}/`].filter((place) => place !== undefined)
  for (const place of places) {
    try {
      return createRequire(place).resolve(`@token-socket/client/${name}`)
    } catch {}
  }
  throw new Error('there is no @token-socket/client')
}

/** Source: RFC 9110, section 13.1.2: a list of tags, or `*`. */
function matches(header: string | undefined, etag: string): boolean {
  return header === '*' || (header ?? '').split(',').some((tag) => tag.trim() === etag)
}

function end(response: ServerResponse, status: number, headers: Record<string, string>, text?: string): void {
  response.writeHead(status, headers)
  response.end(text)
}
