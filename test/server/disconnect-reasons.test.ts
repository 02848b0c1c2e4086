import { readFile } from 'node:fs/promises'
import { CLOSE_CODES } from '@token-socket/protocol'
import { expect } from 'chai'
import { disconnectReason, wasClean } from '#server/socket/disconnect-reasons.js'

const WORDS = [
  'shutting_down',
  'closed_by_server',
  'slow_consumer',
  'ping_timeout',
  'too_many_messages',
  'too_large',
  'disconnected',
  'bad_messages',
  'expired',
  'revoked',
  'rate_limited',
  'auth_refused',
  'auth_failed',
  'client_closed',
  'connection_lost',
  'protocol_error',
]

/** Close codes of sockets that were never let in. */
const EARLY = ['auth_timeout', 'auth_required', 'invalid_token']

describe('disconnectReason', () => {
  for (const [name, { code }] of Object.entries(CLOSE_CODES)) {
    if (EARLY.includes(name)) continue
    const word = name === 'going_away' ? 'client_closed' : name

    it(`is ${word} for a server that closes as ${name}, and client_closed for a client with that code`, () => {
      expect(disconnectReason({ code, text: '', byPeer: false })).to.equal(word)
      expect(disconnectReason({ code, text: '', byPeer: true })).to.equal('client_closed')
    })
  }

  const standard: Readonly<Record<number, string>> = {
    1002: 'protocol_error',
    1003: 'protocol_error',
    1007: 'protocol_error',
    1008: 'too_many_messages',
    1009: 'too_large',
    3000: 'protocol_error',
  }
  for (const [code, word] of Object.entries(standard)) {
    it(`is ${word} for a server that closes with ${code}`, () => {
      expect(disconnectReason({ code: Number(code), text: '', byPeer: false })).to.equal(word)
    })
  }

  it('is client_closed for a client, whichever code and text it sends', () => {
    for (let code = 1000; code < 5000; code += 1) {
      if (code === 1006) continue
      expect(disconnectReason({ code, text: 'slow_consumer', byPeer: true })).to.equal('client_closed')
    }
  })

  it('is connection_lost for a connection that ended without a close', () => {
    for (const byPeer of [true, false])
      expect(disconnectReason({ code: 1006, text: '', byPeer })).to.equal('connection_lost')
  })

  it('is one of a closed list for every code and text', () => {
    const found = new Set<string>()
    for (let code = 0; code < 5100; code += 1)
      for (const byPeer of [true, false]) found.add(disconnectReason({ code, text: 'a text', byPeer }))
    for (const name of EARLY) found.delete(name)
    expect([...found]).to.have.members(WORDS)
  })
})

describe('wasClean', () => {
  it('is false only for a connection that broke', () => {
    expect([1000, 1006, 4000, 4502].map(wasClean)).to.deep.equal([true, false, true, true])
  })
})

describe('docs/STATES.md', () => {
  it('explains every reason, with its codes', async () => {
    const document = await readFile(new URL('../../docs/STATES.md', import.meta.url), 'utf8')
    const [, section = ''] = document.split('### Why a socket ended')
    const rows = [...section.matchAll(/^\| `(\w+)` \|.*\| ([^|]+) \|$/gm)]
    expect(rows.map(([, word]) => word)).to.have.members(WORDS)
    for (const [, word, codes = ''] of rows)
      for (const [code] of codes.matchAll(/\d+/g)) {
        const byPeer = word === 'client_closed'
        expect([code, disconnectReason({ code: Number(code), text: '', byPeer })]).to.deep.equal([code, word])
      }
  })
})
