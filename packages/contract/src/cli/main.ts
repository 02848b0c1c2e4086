#!/usr/bin/env node
import { runCommand } from './run-command.js'

/** Resolves when a stream has taken a text. A reader that has gone away does not need it. */
function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.once('error', () => resolve())
    stream.write(text, () => resolve())
  })
}

/** Node ends where a contract's module waits for what never comes. */
function reportUnsettled(): void {
  process.stderr.write('token-socket: a file that was loaded waits for what never comes\n')
  process.exitCode = 1
}

process.once('exit', reportUnsettled)
void runCommand(process.argv.slice(2), {
  write: (text) => write(process.stdout, text),
  report: (text) => write(process.stderr, `${text}\n`),
}).then((code) => {
  process.removeListener('exit', reportUnsettled)
  // A contract's module may have opened what keeps the process alive.
  process.exit(code)
})
