import { expect } from 'chai'
import { refusingProperties } from './optional-properties.js'
import { parseSource, readSources } from './source-file.js'

/** Types that applications read and never write. */
const READ_ONLY = new Set([
  'Answer',
  'AsyncApiChannel',
  'AsyncApiDocument',
  'AsyncApiMessage',
  'AsyncApiOperation',
  'LogoutClaims',
  'MessageNotes',
  'SocketInfo',
  'SocketPage',
  'Ticket',
  'TokenSocketServerEvents',
])

/** Which sockets are meant: a condition that is `undefined` by mistake must not mean more of them. */
const SELECTORS = new Set(['SocketConditions'])

/** The entries that applications import. */
const ENTRIES = [
  'client/hotsock',
  'client/index',
  'contract/index',
  'contract/asyncapi/index',
  'contract/client/index',
  'contract/json-schema/index',
  'contract/mock/index',
  'contract/server/index',
  'lmdb/index',
  'redis/index',
  'server/index',
  'sign-out/index',
]

describe('optional properties', () => {
  const files = readSources()

  for (const entry of ENTRIES) {
    it(`of what ${entry} takes may be undefined`, () => {
      const refusing = refusingProperties(entry, files)
      const isTaken = (name = '') => !READ_ONLY.has(name) && !SELECTORS.has(name)
      expect(refusing.filter((one) => isTaken(one.split('.')[0]))).to.deep.equal([])
    })
  }
})

describe('refusingProperties', () => {
  const refusing = (text: string) => refusingProperties('a/index', [parseSource('a/index', text)])

  const TABLE: readonly (readonly [text: string, refusing: readonly string[]])[] = [
    ['export interface A { readonly b?: string }', ['A.b']],
    ['export interface A { readonly b?: string | undefined }', []],
    ['export interface A { readonly b?: string | number }', ['A.b']],
    ['export interface A { readonly b?: unknown }', []],
    ['export interface A { readonly b: string }', []],
    ['export type A = { readonly b?: string } & { c?: 1 | undefined }', ['A.b']],
    ['export class A { do(options?: { b?: string }): void {} }', ['A.b']],
    ['export function a(options: { b?: string }): void {}', ['a.b']],
    ['interface A { readonly b?: string }', []],
    ['export class A { do() { return {} as { b?: string } } }', []],
    ['export class A { readonly do = (options: { b?: string }) => {} }', ['A.b']],
    ['export interface A { readonly b?: { readonly c?: 1 } | undefined }', ['A.c']],
  ]

  for (const [text, expected] of TABLE) {
    it(`finds ${expected.join() || 'nothing'} in \`${text}\``, () => {
      expect(refusing(text)).to.deep.equal(expected)
    })
  }
})
