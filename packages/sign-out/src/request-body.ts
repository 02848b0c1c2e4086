import type { IncomingMessage } from 'node:http'

/** A request of Express, connect or Node's own server. */
export type SignOutRequest = IncomingMessage & {
  /** The result of a body parser. @default the body was not read */
  readonly body?: unknown
}

/** The request cannot be read; with the status of the answer. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Bytes of a body, at most. A token has a few hundred. */
const BODY = 64 * 1024

/** Milliseconds that a body may take. */
const BODY_TIME = 10_000

/**
 * Reads one field of a form, whether a body parser ran before or not.
 * @throws RequestError
 */
export async function readField(request: SignOutRequest, name: string): Promise<string> {
  checkRequest(request, 'application/x-www-form-urlencoded')
  const { body } = request
  if (isRecord(body) && Object.hasOwn(body, name)) return text(body[name], name)
  const values = new URLSearchParams(await bodyText(request)).getAll(name)
  return text(values.length === 1 ? values[0] : undefined, name)
}

/**
 * Reads a body that is a token, whether a body parser ran before or not.
 * @throws RequestError
 */
export async function readTokenBody(request: SignOutRequest, type: string): Promise<string> {
  checkRequest(request, type)
  return text((await bodyText(request)).trim(), 'the body')
}

function checkRequest({ method, headers }: SignOutRequest, type: string): void {
  if (method !== 'POST') throw new RequestError(405, 'the method has to be POST')
  const [given = ''] = (headers['content-type'] ?? '').split(';')
  if (given.trim().toLowerCase() !== type)
    throw new RequestError(400, `the type of the body has to be ${type}`)
}

async function bodyText(request: SignOutRequest): Promise<string> {
  const { body } = request
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return Buffer.from(body).toString()
  // Parsers that skip a body may still set an empty object.
  return request.readableEnded ? '' : readStream(request)
}

function readStream(request: SignOutRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (settle: () => void) => {
      clearTimeout(timer)
      request.off('data', take).off('end', finish).off('close', abort).off('error', abort)
      settle()
    }
    const refuse = (status: number, why: string) =>
      end(() => {
        // The rest is read and dropped, so that the answer can be sent.
        request.resume()
        reject(new RequestError(status, why))
      })
    const take = (chunk: Buffer) => {
      size += chunk.byteLength
      if (size > BODY) refuse(413, `the body has more than ${BODY} bytes`)
      else chunks.push(chunk)
    }
    const finish = () => end(() => resolve(Buffer.concat(chunks).toString()))
    const abort = () => refuse(400, 'the body is not complete')
    const timer = setTimeout(() => refuse(408, 'the body takes too long'), BODY_TIME)
    timer.unref()
    request.on('data', take).on('end', finish).on('close', abort).on('error', abort)
  })
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new RequestError(400, `${name} has to be there once`)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
