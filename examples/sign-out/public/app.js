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

/** Opens the socket, once. */
function open() {
  if (socket) return
  socket = new TokenSocket()
  socket.on('connect', () => show('open'))
  socket.on('disconnect', (error) => show(`closed: ${error.data?.reason ?? error.code}`))
  socket.on('refreshed', ({ umd }) => write(`refreshed: the role is ${umd.role}`))
  // Without a session there is no token. The next sign-in makes a new socket.
  socket.on('error', () => {})
  socket.ready().catch(() => end())
}

function end() {
  const ended = socket
  socket = undefined
  return ended?.end()
}

async function post(path) {
  const response = await fetch(path, { method: 'POST' })
  if (path === '/sign-in') open()
  if (path === '/sign-out') await end()
  if (!response.ok) write(`${path}: ${response.status}`)
}

for (const button of document.querySelectorAll('button')) {
  button.addEventListener('click', () => post(button.dataset.path))
}
open()
