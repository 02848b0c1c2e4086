#!/usr/bin/env node
import { runCommand } from './run-command.js'
import { reserveStandardOutput } from './standard-output.js'

/** Node ends where a contract's module waits for what never comes. */
function reportUnsettled(): void {
  process.stderr.write('token-socket: a file that was loaded waits for what never comes\n')
  process.exitCode = 1
}

/** What a file that was loaded does later, while the command is at work. */
function reportLateFailure(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`token-socket: a file that was loaded failed later: ${text}\n`, () => process.exit(1))
  process.removeListener('exit', reportUnsettled)
}

const write = reserveStandardOutput(process)
process.once('exit', reportUnsettled)
process.on('uncaughtException', reportLateFailure)
void runCommand(process.argv.slice(2), {
  write,
  report: (text) =>
    new Promise((resolve) => {
      process.stderr.once('error', () => resolve())
      process.stderr.write(`${text}\n`, () => resolve())
    }),
}).then((code) => {
  process.removeListener('exit', reportUnsettled)
  // A contract's module may have opened what keeps the process alive.
  process.exit(code)
})
