import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What holds for the small script, too: its texts are short ones, and a page sets no headers of an upgrade. */
const FILES = [
  'client-options',
  'queued-calls',
  'rate-limited',
  'connection/renewal',
  'revoked-channels',
].map((name) => `test/client/${name}.test.ts`)

function run(files: readonly string[]): Promise<{ status: number | null; output: string }> {
  const args = ['node_modules/mocha/bin/mocha.js', '--reporter', 'dot', '-g', '`headers` option', '-i']
  const env = { ...process.env, TOKEN_SOCKET_CLIENT: 'script' }
  const child = spawn(process.execPath, [...args, ...files], { cwd: root, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
  return new Promise((resolve) => void child.on('close', (status) => resolve({ status, output })))
}

describe('the small script', () => {
  it('does what the module does, with every option', async function () {
    this.timeout(180_000)
    for (const file of FILES) expect(existsSync(join(root, file)), file).to.equal(true)
    const { status, output } = await run(FILES)
    expect(output).to.match(/[1-9]\d* passing/)
    expect(status, output).to.equal(0)
  })
})
