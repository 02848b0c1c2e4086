// `npm run docs`: builds the guide as a site, and opens it. `-- --build` only builds it. `-- --write` writes the API reference anew
// from the comments of the sources; the gate `docs` compares the two.

import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './gates.mjs'
import { announce } from './open-page.mjs'
import { answers, choosePort } from './ports.mjs'
import { runStep } from './step.mjs'

const folder = join(root, 'docs')
const VITEPRESS = join(folder, 'node_modules/vitepress/bin/vitepress.js')
const TYPEDOC = join(folder, 'node_modules/typedoc/bin/typedoc')

function writeReference() {
  rmSync(join(folder, 'reference/api'), { recursive: true, force: true })
  return runStep({
    title: 'Writing docs/reference/api',
    program: process.execPath,
    args: [TYPEDOC],
    cwd: folder,
    advice: 'A warning above names the comment.',
  })
}

function build() {
  return runStep({
    title: 'Building the site',
    program: process.execPath,
    args: [VITEPRESS, 'build'],
    cwd: folder,
    advice: 'A dead link above names the page that it stands on.',
  })
}

async function serve() {
  const port = await choosePort()
  if (port === undefined) {
    console.error(
      `Port ${process.env.PORT} is taken. Set PORT to another one, or to none for the next free one.`,
    )
    process.exitCode = 1
    return
  }
  const args = [VITEPRESS, 'preview', '--port', String(port)]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 0 : (code ?? 1)
  })
  process.on('SIGTERM', () => child.kill())
  process.on('SIGINT', () => process.stdin.isTTY || child.kill())
  while (child.exitCode === null && !(await answers(port)))
    await new Promise((resolve) => setTimeout(resolve, 100))
  if (child.exitCode === null) announce('The guide', `http://localhost:${port}/`)
}

const { values } = parseArgs({ options: { build: { type: 'boolean' }, write: { type: 'boolean' } } })
if (values.write) process.exitCode = (await writeReference()) ? 0 : 1
else if (!(await build())) process.exitCode = 1
else if (!values.build) await serve()
