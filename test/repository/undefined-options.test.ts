/** An option that is `undefined` counts as one that was not given: each option of each package. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineContract, procedure, type } from '@token-socket/contract'
import { toAsyncApi } from '@token-socket/contract/asyncapi'
import { mockClient, mockServer } from '@token-socket/contract/mock'
import { implement } from '@token-socket/contract/server'
import { LmdbEngine } from '@token-socket/lmdb'
import { MemoryEngine, publisher, TokenSocketServer } from '@token-socket/server'
import { backChannelLogout, sharedSignals } from '@token-socket/sign-out'
import { expect } from 'chai'
import express from 'express'
import { readOptions } from '#client/settings/options.js'
import { socketOptions } from '#contract/client/socket-options.js'
import { resolveOptions as resolveRedis } from '#redis/options.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { resolveOptions } from '#server/options.js'
import { optionalNames } from './optional-properties.js'
import { readSources } from './source-file.js'

const files = readSources()
const required = { app: express(), server: createServer() }
const contract = defineContract({ server: { say: procedure({ input: type<string>() }) } })
const signing = { issuer: 'https://example.com', audience: 'app', jwks: { keys: [] } }
const sockets = new TokenSocketServer({ ...required, secret: 'x'.repeat(32), authentication: () => true })
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** What all options of a type give whose fields are read, but for objects that are made anew. */
const resolved = {
  server(options: object) {
    const { engine: _engine, logger: _logger, ...rest } = resolveOptions({ ...required, ...options })
    return rest
  },
  redis(options: object) {
    const { logger: _logger, ...rest } = resolveRedis(options)
    return rest
  },
}

/** By the file and the type of the options: what uses them. What it returns has to be the same without the option. */
const SUBJECTS: Readonly<Record<string, (options: object) => unknown>> = {
  'server/options TokenSocketServerOptions': resolved.server,
  'server/transports/per-message-deflate PerMessageDeflateSettings': (perMessageDeflate) =>
    Object.keys(resolved.server({ perMessageDeflate })),
  'server/engine/memory-engine MemoryEngineOptions': (options) => void new MemoryEngine(options),
  'server/publisher PublisherOptions': (options) => {
    const engine = Object.assign(new MemoryEngine(), { shared: true })
    return Object.keys(publisher({ engine, logger: silent, ...options }))
  },
  'client/settings/options TokenSocketOptions': (options) => {
    const page = globalThis as { location?: unknown }
    page.location = new URL('https://example.com/')
    try {
      return readOptions(options)
    } finally {
      delete page.location
    }
  },
  'client/settings/options Limits': (limits) => readOptions({ host: 'example.com', limits }),
  'contract/client/options ConnectOptions': (options) =>
    readOptions(socketOptions({ host: 'example.com', ...options })),
  'contract/contract-definition ContractDefinition': (definition) => void defineContract(definition),
  'contract/procedure ProcedureDefinition': (definition) => void procedure(definition),
  'contract/server/implement ImplementOptions': (options) =>
    Object.keys(implement(contract, { say: () => {} }, options)),
  'contract/mock/mock-answers MockOptions': (options) => {
    void [mockServer(contract, options), mockClient(contract, options)]
  },
  'contract/asyncapi/to-asyncapi AsyncApiOptions': (options) =>
    toAsyncApi(defineContract({}), { title: 'a', version: '1', ...options }),
  'redis/options RedisEngineOptions': resolved.redis,
  'sign-out/back-channel-logout BackChannelLogoutOptions': (options) =>
    typeof backChannelLogout(sockets, { ...signing, ...options }),
  'sign-out/shared-signals SharedSignalsOptions': (options) =>
    typeof sharedSignals(sockets, { ...signing, ...options }),
  'sign-out/token-verifier TokenOptions': (options) =>
    typeof backChannelLogout(sockets, { ...signing, ...options }),
}

describe('an option that is undefined', () => {
  after(() => sockets.shutdown())

  for (const [subject, use] of Object.entries(SUBJECTS)) {
    const [file = '', name = ''] = subject.split(' ')
    for (const option of optionalNames(file, name, files)) {
      it(`${option} of ${name} counts as not given`, () => {
        expect(use({ [option]: undefined })).to.deep.equal(use({}))
      })
    }
  }

  for (const limit of [...Object.keys(DEFAULT_LIMITS), 'preset']) {
    it(`limits.${limit} counts as not given`, () => {
      expect(resolved.server({ limits: { [limit]: undefined } })).to.deep.equal(resolved.server({}))
    })
  }

  describe('of LmdbEngineOptions', () => {
    const path = mkdtempSync(join(tmpdir(), 'token-socket-options-'))
    after(() => rmSync(path, { recursive: true, force: true }))

    it('counts as not given', async () => {
      const names = optionalNames('lmdb/lmdb-engine', 'LmdbEngineOptions', files)
      const options = Object.fromEntries(names.map((name) => [name, undefined]))
      await new LmdbEngine({ path, ...options }).close()
      expect(names).to.have.length.above(3)
    })
  })
})
