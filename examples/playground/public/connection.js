// The connection's state, as the socket's `state` events tell it.

import { byId, duration, timeOf } from './dom.js'
import { showFailure, showReady } from './token-flow.js'

/** What the socket may be made with. SockJS has several transports of its own. */
const TRANSPORTS = {
  automatic: {},
  websocket: { transports: ['websocket'] },
  ...Object.fromEntries(
    ['xhr-streaming', 'eventsource', 'xhr-polling'].map((name) => [
      name,
      { transports: ['sockjs'], sockjs: { transports: [name] } },
    ]),
  ),
}

const NOTES = {
  connecting: () => 'Getting a token, opening a socket…',
  ready: () => `Since ${timeOf().textContent}`,
  waiting: ({ error }) => reasonOf(error),
  failed: ({ error }) => reasonOf(error),
  ended: () => 'Ended by this page.',
}

let reconnects = 0
/** The socket that is shown; none if no one is signed in. */
let current
let stopCountdown = () => {}

const wanted = byId('wanted-transport')
wanted.append(...Object.keys(TRANSPORTS).map((name) => new Option(name)))

/** The options that the person has chosen. */
export function chosenTransport() {
  return TRANSPORTS[wanted.value]
}

/** Follows one socket. Events of the one before it are ignored from now on. */
export function showConnection(socket) {
  current = socket
  reconnects = 0
  byId('reconnects').textContent = '0'
  show(socket, socket.state, {})
  socket.on('state', (state, details) => show(socket, state, details))
  socket.on('reconnect', (error) => {
    if (error || socket !== current) return
    reconnects += 1
    byId('reconnects').textContent = String(reconnects)
  })
}

/** No one is signed in. */
export function showNoConnection() {
  current = undefined
  stopCountdown()
  byId('state').dataset.state = 'none'
  byId('state-name').textContent = 'not connected'
  byId('state-note').textContent = 'Sign in to open a socket.'
  byId('transport').textContent = '–'
}

function show(socket, state, details) {
  if (socket !== current) return
  stopCountdown()
  byId('state').dataset.state = state
  byId('state-name').textContent = state
  byId('state-note').textContent = NOTES[state](details)
  byId('transport').textContent = socket.transport ?? '–'
  byId('cut').disabled = state !== 'ready'
  byId('use-again').disabled = state !== 'ready'
  if (state === 'ready') showReady(socket.transport)
  if (state === 'waiting') {
    showFailure('No answer from the server')
    countDown(details.delay)
  }
}

function reasonOf(error) {
  const { code, reason } = error?.data ?? {}
  return reason ? `${reason} (${code})` : (error?.message ?? '')
}

/**
 * Shows the time to the next try.
 * @param delay milliseconds, or nothing when it waits for the network
 */
function countDown(delay) {
  const note = byId('state-note')
  const bar = byId('countdown-bar')
  const why = note.textContent
  const end = performance.now() + delay
  const tick = () => {
    const left = Math.max(0, end - performance.now())
    note.textContent = `${why.replace(/\.$/, '')}. Next try in ${duration(left)}`
    bar.style.width = `${(100 * left) / delay}%`
  }
  if (delay === undefined) {
    note.textContent = `${why}. Waiting for the network`
    return
  }
  byId('countdown').hidden = false
  const timer = setInterval(tick, 100)
  stopCountdown = () => {
    clearInterval(timer)
    byId('countdown').hidden = true
  }
  tick()
}
