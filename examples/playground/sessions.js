import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callbackify } from 'node:util'
import session from 'express-session'

/** Milliseconds that a session lasts. */
export const SESSION_LIFE = 24 * 60 * 60 * 1000

const folder = join(tmpdir(), `token-socket-playground-${process.getuid?.() ?? 'user'}`)

/**
 * Sessions as files, one each, in a folder that only this user can read.
 *
 * express-session's own memory store forgets everybody when the server stops, and this demo is
 * about stopping it. A real application has a database for this (see express-session's list of
 * stores); here a few files do, without another dependency.
 */
export class FileStore extends session.Store {
  constructor() {
    super()
    prepareFolder()
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      if (name.endsWith('.json') && Date.now() - statSync(file).mtimeMs > SESSION_LIFE) rmSync(file)
    }
  }

  get = callbackify(async (id) => {
    const text = await readFile(fileOf(id), 'utf8').catch(ignoreMissing)
    const found = text && JSON.parse(text)
    return found && new Date(found.cookie.expires) > new Date() ? found : null
  })

  set = callbackify(async (id, data) => {
    const draft = `${fileOf(id)}.${randomBytes(4).toString('hex')}`
    await writeFile(draft, JSON.stringify(data), { mode: 0o600 })
    await rename(draft, fileOf(id))
  })

  destroy = callbackify((id) => rm(fileOf(id), { force: true }))
}

/** A random secret that is the same after a restart. @param {string} name what it is for */
export function secretFor(name) {
  prepareFolder()
  const file = join(folder, `${name}.secret`)
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8')
}

function prepareFolder() {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

/** Only ids that this server has signed get here, so they are safe as file names. */
function fileOf(id) {
  return join(folder, `${id}.json`)
}

function ignoreMissing(error) {
  if (error.code !== 'ENOENT') throw error
}
