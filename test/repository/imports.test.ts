import { expect } from 'chai'
import { jsonUsers, rules } from './rules.js'
import { parseSource, readSources } from './source-file.js'

/** Files that break a rule, by the rule: proof that each rule can fail. */
const badExamples: Readonly<Record<string, readonly Record<string, string>[]>> = {
  'imports another package only along an arrow, and only by its entry': [
    { 'server/hub': "import { TokenSocket } from '@token-socket/client'" },
    { 'client/client': "export type { Hub } from '@token-socket/server'" },
    { 'protocol/codec': "const later = () => import('@token-socket/server')" },
    { 'server/hub': "import { encode } from '@token-socket/protocol/src/codec.js'" },
    { 'redis/keys': "import type { Engine } from '@token-socket/server'" },
    { 'lmdb/store': "import type { Engine } from '@token-socket/server/other'" },
    { 'sign-out/subject': "import type { Engine } from '@token-socket/server/engine'" },
  ],
  'imports of other folders of its package only along an arrow': [
    { 'contract/validation': "import { TokenSocket } from '@token-socket/client'" },
    { 'contract/validation': "import type { typed } from './server/typed.js'" },
    { 'contract/client/connect': "import { TokenSocketServer } from '@token-socket/server'" },
    { 'contract/server/typed': "import { connect } from '../client/connect.js'" },
    { 'contract/new/file': "import { type } from '../schema.js'" },
    { 'server/claims/grants': "import type { Outbox } from '../socket/outbox.js'" },
    { 'redis/scripts/keys': "import { RedisCluster } from '../connection/redis-cluster.js'" },
    { 'client/token/page-fetch': "import { TokenSocket } from '../client.js'" },
  ],
  'imports each outside dependency through its door': [
    { 'server/hub': "import { WebSocketServer } from 'ws'" },
    { 'server/hub': "import lodash from 'lodash'" },
    { 'server/hub': "import { Sender } from 'ws/lib/sender.js'" },
    { 'server/hub': "import { readFileSync } from 'fs'" },
    { 'client/client': "const later = () => import('sockjs-client')" },
    { 'server/hub': "type Socket = import('ws').WebSocket" },
    { 'server/authentication/token-route': "import express from 'express'" },
    { 'server/hub': 'const later = (name: string) => import(name)' },
    { 'server/hub': "const old = require('ws')" },
  ],
  'imports Node’s modules only on the server, in client/connection/transports/node-*, contract/cli and contract/mock/port/open-*':
    [
      { 'protocol/names': "import { createHash } from 'node:crypto'" },
      { 'client/client': "import type { Agent } from 'node:http'" },
    ],
  'imports files that exist in the same package, by their .js name': [
    { 'server/hub': "import { Outbox } from './outbox.js'" },
    {
      'server/hub': "import { Outbox } from './outbox'",
      'server/outbox': 'export class Outbox {}',
    },
    { 'server/hub': "import { a } from '../../protocol/src/codec.js'" },
    { 'client/client': "import { a } from '#unknown'" },
  ],
  'has no import cycle, types included': [
    { 'server/a': "import { b } from './b.js'", 'server/b': "import type { a } from './a.js'" },
    { 'server/a': "export * from './a.js'" },
    {
      'client/client': "import { open } from '#websocket'",
      'client/connection/transports/node-websocket': "import type { Client } from '../../client.js'",
    },
  ],
  'uses JSON only in protocol/codec': [
    { 'server/hub': 'export const copy = (value: unknown) => JSON.parse(JSON.stringify(value))' },
    { 'server/hub': 'const { parse } = JSON' },
  ],
  'names files after what they hold': [
    { 'server/utils': '' },
    { 'client/transports/helpers': '' },
    { 'server/memoryEngine': '' },
  ],
  'has no any': [
    { 'server/hub': 'export let value: any' },
    { 'server/hub': 'export let value: Map<string, any[]>' },
  ],
  'has files of at most 400 lines': [{ 'server/hub': 'export {}\n'.repeat(401) }],
  'has functions of at most 40 lines': [
    { 'server/hub': `function long() {${'\n'.repeat(41)}}` },
    { 'server/hub': `class Hub { open() {${'\n'.repeat(41)}} }` },
    { 'server/hub': `const long = () => {${'\n'.repeat(41)}}` },
  ],
}

/** Files that keep every rule though they come close to breaking one. */
const goodExample = {
  'redis/redis-engine': "import type { Engine } from '@token-socket/server/engine'",
  'engine-tests/broker': `import { expect } from 'chai'\nconst cases = () => {${'\n'.repeat(41)}JSON.stringify(1)}`,
  'protocol/codec': 'export const encode = (value: unknown) => JSON.stringify(value)',
  'protocol/index': "export { encode } from './codec.js'",
  'server/authentication/token-route':
    "import type { Request } from 'express'\nimport { type Response } from 'express'",
  'server/transports/websocket-carriers':
    "import { WebSocketServer } from 'ws'\nimport { encode } from '@token-socket/protocol'",
  'client/client': "import { open } from '#websocket'",
  'client/runtime/emitter': "import { EventEmitter } from 'eventemitter3'",
  'client/connection/transports/node-websocket':
    "import { Agent } from 'node:http'\nimport { WebSocket } from 'ws'",
  'client/connection/transports/native-websocket': 'export const name = "any" // any, JSON',
  'client/connection/transports/load-sockjs': "export const load = () => import('sockjs-client')",
  'client/connection/transports/global-sockjs': `function short() {${'\n'.repeat(39)}}`,
}

const parse = (files: Record<string, string>) => Object.entries(files).map((entry) => parseSource(...entry))

describe('the source files', () => {
  const files = readSources()

  for (const [rule, check] of Object.entries(rules)) {
    it(`${rule}`, () => {
      expect(check(files), 'breaches').to.deep.equal([])
    })
  }

  it('holds no JSON exception for a file that needs none', () => {
    const users = files.filter(({ text }) => /\bJSON\./.test(text)).map(({ name }) => name)
    expect(users).to.include.members(Object.keys(jsonUsers))
  })
})

describe('the rules for source files', () => {
  for (const [rule, check] of Object.entries(rules)) {
    for (const [index, example] of (badExamples[rule] ?? []).entries()) {
      it(`${rule}: refuses bad example ${index + 1}`, () => {
        expect(check(parse(example))).to.have.length.above(0)
      })
    }

    it(`${rule}: has a bad example, and accepts the good one`, () => {
      expect(badExamples[rule]).to.have.length.above(0)
      expect(check(parse(goodExample))).to.deep.equal([])
    })
  }
})
