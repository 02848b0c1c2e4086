#!/usr/bin/env node
import { runCommand } from './run-command.js'

/** Resolves when a stream has taken a text. A reader that has gone away needs no more of it. */
function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.once('error', () => resolve())
    stream.write(text, () => resolve())
  })
}

// It stays where a contract's module waits for what never comes, and Node ends.
process.exitCode = 1
void runCommand(process.argv.slice(2), {
  write: (text) => write(process.stdout, text),
  report: (text) => write(process.stderr, `${text}\n`),
})
  // A contract's module may have opened what keeps the process alive.
  .then((code) => process.exit(code))
