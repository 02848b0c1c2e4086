// Who may do what in the chat, as signed tokens: this is the application's own back end.

import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import jwt from 'jsonwebtoken'

/** Seconds within which a token has to be used. */
const TOKEN_LIFE = 60

/** Seconds that what was said is kept. */
const DAY = 24 * 60 * 60

const PEOPLE = new Map([
  ['jim', { name: 'Jim' }],
  ['pam', { name: 'Pam' }],
])

/** What a chat may be called. The ids that we make can't be guessed. */
const SESSION = /^[\w-]{8,64}$/

/**
 * A token for one person in one chat, a new chat if none is named.
 * @returns undefined if there is no such person, or if a chat can't be called so
 */
export function issueToken(key, { uid, session = randomUUID() } = {}) {
  const umd = PEOPLE.get(uid)
  if (!umd || typeof session !== 'string' || !SESSION.test(session)) return undefined
  const claims = {
    scope: 'connect',
    uid,
    umd,
    channels: {
      [`chat-${session}`]: {
        subscribe: true,
        historyStart: 0,
        messages: {
          chat: { publish: true, echo: true, store: DAY },
          'is-typing': { publish: true },
        },
      },
    },
  }
  const token = jwt.sign(claims, key, { algorithm: 'HS256', expiresIn: TOKEN_LIFE, jwtid: randomUUID() })
  return { session, token }
}

/**
 * The key that tokens are signed with: made once, and kept in a file that only this user can read.
 */
export function readKey(file) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8')
}
