// Shows the address of a page, and opens it where there is a display. Node's own modules only.

import { spawn } from 'node:child_process'

/**
 * Prints where a page is, and opens it in the browser if there is a display.
 * @param {string} name what the page shows, such as `The chat`
 * @param {string} address its URL
 */
export function announce(name, address) {
  const line = '─'.repeat(address.length + name.length + 12)
  console.log(`\n${line}\n  ${name} is at ${address}\n  Ctrl-C ends it.\n${line}\n`)
  if (hasDisplay()) openBrowser(address)
}

function hasDisplay() {
  if (process.platform === 'darwin' || process.platform === 'win32') return true
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/** A convenience: where it does not work, the address is on the screen. */
function openBrowser(address) {
  const programs = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }
  const [program, ...args] = programs[process.platform] ?? ['xdg-open']
  spawn(program, [...args, address], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
