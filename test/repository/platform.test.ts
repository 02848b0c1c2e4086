import { expect } from 'chai'
import { EVERYWHERE, REFUSED, SOMEWHERE, unportable } from './platform.js'
import { parseSource, readSources } from './source-file.js'

const breaches = (text: string, name = 'client/client') => unportable(parseSource(name, text))

/** What some platform lacks, one use a text. */
const BAD: readonly string[] = [
  "target.addEventListener('abort', run, { signal })",
  "target.addEventListener('abort', run, { once: true })",
  "addEventListener('abort', run, true)",
  'signal.throwIfAborted()',
  'const { signal } = new AbortController(); throw signal.reason',
  'export const why = (call: CallContext) => call.signal.reason',
  'AbortSignal.any([])',
  'AbortSignal.timeout(1)',
  'structuredClone({})',
  "new Event('abort')",
  "new CustomEvent('abort')",
  'new EventTarget()',
  'new DOMException()',
  'new TextEncoder()',
  'new URL(text)',
  'new Headers()',
  'crypto.getRandomValues(bytes)',
  'globalThis.crypto?.randomUUID()',
  'const { crypto } = globalThis',
  'const { localStorage: kept } = globalThis as Page',
  'window.fetch',
  'export const state = { self }',
  'export const pick = ({ kept = sessionStorage }) => kept',
  'const keep = [...new Intl.Segmenter()]',
  'new WeakRef(socket)',
  'new FinalizationRegistry(run)',
  'list.at(-1)',
  'list.toSorted()',
  'list?.findLast(isRight)',
  'Promise.withResolvers()',
  'Object.groupBy(list, by)',
  'Map.groupBy(list, by)',
  'const end = Symbol.dispose',
  'setImmediate(run)',
  'Buffer.from(text)',
  'process.exit()',
  'document.title',
  'navigator.onLine',
]

/** What every platform has, though it looks alike. */
const GOOD: readonly string[] = [
  "export const on = (target: Target, run: Run) => target.addEventListener('abort', run)",
  'import { URL } from "./url.js"\nnew URL("text")',
  'export function crypto() {}\ncrypto()',
  'export class Headers {}\nnew Headers()',
  'export const kept = { document: 1 }.document',
  'export const run = ({ location, self: own }: Page, ...[origin]: string[]) => [location, own, origin]',
  'export const run = (window = 1, { process } = { process: 1 }) => [window, process]',
  'try { run() } catch (document) { throw document }\nfunction run() {}',
  'export let url: URL | undefined',
  "export type Parts = Pick<URL, 'host'>",
  'export const limits = { timeout: 1 }\nexport const late = limits.timeout',
  'export const { timeout } = { timeout: 1 }',
  'export const error = { reason: 1 }.reason',
  'export const list = [1].map(String).sort().reverse()',
  'export const shape = {} as unknown as Document',
  'declare const process: { readonly env: object }',
]

describe('sources that run on every platform', () => {
  const files = readSources()

  it('use nothing that some platform lacks', () => {
    expect(files.flatMap(unportable)).to.deep.equal([])
  })

  it('have no exception that none of them needs', () => {
    for (const [name, users] of Object.entries(SOMEWHERE)) {
      const missing = users.filter(
        (user) => !files.some((file) => file.name === user && uses(file.text, name)),
      )
      expect(missing, name).to.deep.equal([])
    }
  })
})

const uses = (text: string, name: string) => new RegExp(`\\b${name}\\b`).test(text)

describe('the rule for platforms', () => {
  for (const text of BAD) it(`refuses ${text}`, () => expect(breaches(text)).to.have.length.above(0))

  for (const text of GOOD) it(`takes ${text}`, () => expect(breaches(text)).to.deep.equal([]))

  it('refuses each member of its table, with the platform that lacks it', () => {
    for (const [name, why] of Object.entries(REFUSED)) {
      const owner = { any: 'AbortSignal', timeout: 'AbortSignal', groupBy: 'Object' }[name] ?? 'Symbol'
      expect(breaches(`${owner}.${name}`).join()).to.include(why)
    }
  })

  it('holds the protocol package, and the parts of the contract package that pages have, to it', () => {
    for (const name of [
      'protocol/codec',
      'contract/schema',
      'contract/client/connect',
      'client/connection/transports/sockjs',
    ])
      expect(breaches('structuredClone({})', name)).to.have.length(1)
  })

  it('leaves files for Node alone', () => {
    for (const name of [
      'server/hub',
      'contract/server/typed',
      'contract/mock/mock',
      'client/token/node-fetch',
    ])
      expect(breaches('structuredClone({})', name)).to.deep.equal([])
  })

  it('has no global both everywhere and somewhere', () => {
    expect(Object.keys(SOMEWHERE).filter((name) => EVERYWHERE.has(name))).to.deep.equal([])
  })
})
