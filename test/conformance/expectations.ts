/** What the protocol asks of many answers alike. */
import type { IncomingHttpHeaders } from 'node:http'
import { expect } from 'chai'
import type { Answer, TestBed } from './test-bed.js'

/** Any origin that is not the server's. */
export const ELSEWHERE = 'https://page.example.com'

/** A type of content, whatever the spaces in it. */
export function expectType({ headers }: Pick<Answer, 'headers'>, type: string): void {
  expect(headers['content-type']?.replaceAll(' ', '')).to.equal(type)
}

/**
 * Private data that comes by GET, or by a POST on iOS 6, must not be kept by anybody. The protocol lists four
 * directives; `no-transform`, which newer SockJS servers add, keeps proxies from holding streams back to compress them.
 */
export function expectUncached({ headers }: Pick<Answer, 'headers'>): void {
  const directives = headers['cache-control']?.split(', ')
  expect(directives).to.include.members(['no-store', 'no-cache', 'must-revalidate', 'max-age=0'])
  expect(headers).to.not.have.any.keys('expires', 'last-modified', 'etag')
}

/** What may be kept for long. */
export function expectCached({ headers }: Pick<Answer, 'headers'>): void {
  expect(headers['cache-control'])
    .to.match(/\bpublic\b/)
    .and.match(/\bmax-age=[1-9][0-9]{6,}\b/)
  expect(Date.parse(headers.expires ?? '')).to.be.above(Date.now())
  expect(headers).to.not.have.property('last-modified')
}

/** The page of this origin may read the answer, and its cookies come along. */
export function expectCors({ headers }: Pick<Answer, 'headers'>, origin: string): void {
  expect(headers).to.include({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  })
}

/** Nothing of CORS. */
export function expectNoCors({ headers }: { readonly headers: IncomingHttpHeaders }): void {
  const names = Object.keys(headers).filter((name) => name.startsWith('access-control-'))
  expect(names).to.deep.equal([])
}

/** A path that knows other methods: it names them, and says nothing else. */
export function expect405({ status, headers, body }: Answer, allowed: readonly string[]): void {
  expect(status).to.equal(405)
  expect(headers.allow?.split(', ')).to.have.members([...allowed])
  expect(headers).to.not.have.property('content-type')
  expect(body).to.equal('')
}

/** Answers to `OPTIONS` say what may be asked, and may be kept for long. */
export async function expectPreflight(bed: TestBed, path: string, methods: string): Promise<void> {
  for (const origin of [ELSEWHERE, 'null', bed.origin]) {
    const answer = await bed.options(path, { Origin: origin })
    expect(answer.status).to.equal(204)
    expect(answer.body).to.equal('')
    expect(answer.headers['access-control-allow-methods']).to.equal(methods)
    expect(Number(answer.headers['access-control-max-age'])).to.be.above(1_000_000)
    expectCached(answer)
    expectCors(answer, origin)
  }
}
