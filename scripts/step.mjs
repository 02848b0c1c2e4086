// One step of a longer command: a progress line, the seconds that it took, and on failure the start and the end of its output.
// Node's own modules only: it runs on a fresh clone.

import { spawn } from 'node:child_process'
import { root } from './gates.mjs'

/** How many lines of a failed step's output are shown of its start and of its end: npm names the cause first. */
const SHOWN = 20

/**
 * Runs a program quietly.
 * @param {object} step
 * @param {string} step.title what happens, as shown to the user
 * @param {string} step.program
 * @param {string[]} step.args
 * @param {string} step.advice what to do when it fails
 * @param {Record<string, string>} [step.env] added to its environment
 * @param {string} [step.cwd] where it runs. @default the root
 * @returns {Promise<boolean>} whether it worked; never throws
 */
export async function runStep({ title, program, args, advice, ...settings }) {
  process.stdout.write(`${title} … `)
  const start = performance.now()
  const { code, output } = await capture(program, args, settings)
  const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s`
  console.log(code === 0 ? seconds : `failed after ${seconds}`)
  if (code !== 0) console.error(`\n${shorten(output)}\n\n${advice}\n`)
  return code === 0
}

function shorten(output) {
  const lines = output.trimEnd().split('\n')
  if (lines.length <= 2 * SHOWN) return lines.join('\n')
  return [...lines.slice(0, SHOWN), '…', ...lines.slice(-SHOWN)].join('\n')
}

function capture(program, args, { env = {}, cwd = root }) {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'pipe', 'pipe']
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio })
    let output = ''
    const add = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', add)
    child.stderr.setEncoding('utf8').on('data', add)
    child.on('error', (error) => resolve({ code: 1, output: `${output}${error.message}` }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
