/* global TokenSocket */
// One socket, from the sign-in on. Its events are on the page.

const state = document.querySelector('#state')
const log = document.querySelector('#log')
let socket

function write(text) {
  const item = document.createElement('li')
  item.textContent = text
  log.append(item)
}

function show(text) {
  state.textContent = text
  write(text)
}

/** Opens a socket in place of the one before: each sign-in has its own. */
function open() {
  end()
  const opened = new TokenSocket()
  const isReplaced = () => socket !== undefined && socket !== opened
  opened.on('connect', () => show('open'))
  opened.on('disconnect', (error) => isReplaced() || show(`closed: ${error.data?.reason ?? error.code}`))
  opened.on('refreshed', ({ umd }) => write(`refreshed: the role is ${umd.role}`))
  // Without a session there is no token, and the socket ends. The next sign-in opens another one.
  opened.on('error', () => {})
  opened.ready().catch(() => opened.end())
  socket = opened
}

function end(ended = socket) {
  if (socket === ended) socket = undefined
  return ended?.end()
}

async function post(path) {
  // A late answer to a sign-out does not end the socket of a sign-in after it.
  const before = socket
  const response = await fetch(path, { method: 'POST' })
  if (path === '/sign-in') open()
  if (path === '/sign-out') await end(before)
  if (!response.ok) write(`${path}: ${response.status}`)
}

for (const button of document.querySelectorAll('button')) {
  button.addEventListener('click', () => post(button.dataset.path))
}
open()
