/**
 * The published browser client of the legacy pair. npm can't install it, since one of its dependencies is a git address,
 * so its tarball is fetched by itself, once, and held to its checksum each time.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const NAME = 'token-sockjs-client@2.2.0'
const INTEGRITY =
  'sha512-bu9LdCtArlFqN0j6Mij6XJEgdgCQ9O/n5Te8aPGfPEAk5aRDVDp98t1MNmqPkkuoMZCDuDrE263+Uxb/nPB8eA=='

const cache = fileURLToPath(new URL('../../node_modules/.cache/token-socket-interop/', import.meta.url))
const tarball = join(cache, 'token-sockjs-client-2.2.0.tgz')
const run = promisify(execFile)

/** The text of one of its files, such as `clients/browser/tokensockjs.min.js`. */
export async function legacyClientFile(path: string): Promise<string> {
  await mkdir(cache, { recursive: true })
  if (!existsSync(tarball)) await fetchTarball()
  await checkIntegrity(tarball)
  const { stdout } = await run('tar', ['-xzOf', tarball, `package/${path}`], { maxBuffer: 1024 * 1024 })
  return stdout
}

/** Into a folder of its own first: two test runs at once must not see each other's half of a file. */
async function fetchTarball(): Promise<void> {
  const folder = await mkdtemp(join(cache, 'fetch-'))
  try {
    const { stdout } = await run('npm', ['pack', NAME, '--silent', '--pack-destination', folder])
    const fetched = join(folder, stdout.trim().split('\n').at(-1) ?? '')
    await checkIntegrity(fetched)
    await rename(fetched, tarball)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkIntegrity(file: string): Promise<void> {
  const found = `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`
  if (found !== INTEGRITY) throw new Error(`${file} is not the published ${NAME}: its checksum is ${found}`)
}
