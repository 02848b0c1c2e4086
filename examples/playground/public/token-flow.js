// Shows how a session becomes a socket. The client keeps its tokens to itself, so this demo listens
// in on the page's own `fetch` and `WebSocket`. A real page has no reason to.

import { byId, duration, make } from './dom.js'
import { textOf } from './failure.js'

const TOKEN_PATH = '/socket/token'
const SOCKET_PATH = '/sockets/websocket'

/** The newest token. It is used up by the time that it could be read here. */
let token
let start = 0
/** Counts the tries, and the sessions: an answer for one before is shown no longer. */
let turn = 0

watchFetch()
watchWebSocket()
byId('use-again').addEventListener('click', useAgain)

/**
 * The first step: the session that the page has anyhow.
 * @param name of the person; none if no one is signed in
 */
export function showSession(name) {
  turn += 1
  reset(1)
  token = undefined
  byId('use-again').disabled = true
  mark(
    'session',
    name ? 'done' : '',
    name ? `The cookie says: ${name}` : 'HTTP, cookies and your own sign-in, as ever',
  )
  if (name) return
  mark('request', '', `POST ${TOKEN_PATH}`)
  mark('token', '', 'Short-lived, single use')
  mark('open', '', 'WebSocket, or SockJS where it has to be')
  mark('authenticated', '', 'The token is the first thing said')
}

/** The last step. @param transport what carries the socket */
export function showReady(transport) {
  if (stepOf('open').className !== 'done') mark('open', 'done', `SockJS, ${transport}`)
  mark('authenticated', 'done', `In ${duration(performance.now() - start)}; the token is used up`)
  byId('use-again').disabled = false
}

/** A try came to nothing. */
export function showFailure(why) {
  const running = document.querySelector('#flow .running')
  if (running) mark(running.dataset.step, 'failed', why)
}

function watchFetch() {
  const original = window.fetch
  window.fetch = async (...args) => {
    const isToken = new URL(args[0].url ?? args[0], location.href).pathname === TOKEN_PATH
    if (!isToken) return original(...args)
    const mine = begin()
    const response = await original(...args)
    showResponse(response.clone(), mine)
    return response
  }
}

function begin() {
  start = performance.now()
  reset(2)
  byId('use-again-result').textContent = 'It worked once. Will it work twice?'
  mark('request', 'running', `POST ${TOKEN_PATH}…`)
  turn += 1
  return turn
}

async function showResponse(response, mine) {
  if (mine !== turn) return
  const status = `POST ${TOKEN_PATH}\n${response.status} after ${duration(performance.now() - start)}`
  mark('request', response.ok ? 'done' : 'failed', status)
  if (!response.ok) return
  mark('open', 'running', 'Opening…')
  const { token: issued } = await response.json()
  if (mine !== turn) return
  token = issued
  mark('token', 'done', `${token.slice(0, 10)}…${token.slice(-6)}`)
  showClaims(JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))))
}

function showClaims({ jti = '', aud, iat, exp }) {
  const rows = { jti: `${jti.slice(0, 8)}…`, aud, exp: `iat + ${exp - iat} s` }
  byId('claims').replaceChildren(
    ...Object.entries(rows).map(([name, value]) =>
      make('div', {}, make('dt', {}, name), make('dd', {}, value)),
    ),
  )
}

function watchWebSocket() {
  window.WebSocket = class extends WebSocket {
    constructor(url, protocols = []) {
      super(url, protocols)
      if (new URL(url).pathname !== SOCKET_PATH) return
      const mine = turn
      this.addEventListener('open', () => {
        if (mine !== turn || stepOf('open').className !== 'running') return
        mark('open', 'done', 'WebSocket')
        mark('authenticated', 'running', 'Saying the token…')
      })
    }
  }
}

/** Says a used token to the server, as a thief would. */
function useAgain() {
  const mine = turn
  const result = byId('use-again-result')
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}${SOCKET_PATH}`)
  let answer
  result.textContent = 'Trying…'
  socket.onopen = () => socket.send(JSON.stringify({ rpc: 'auth', token, uuid: 'again' }))
  socket.onmessage = ({ data }) => {
    answer = JSON.parse(data)
    if (!answer.error) socket.close()
  }
  socket.onclose = ({ code }) => {
    if (mine !== turn) return
    if (!answer) result.textContent = `No answer, closed with code ${code}.`
    else if (!answer.error) result.textContent = 'It was let in. That should not happen!'
    else result.textContent = `Refused: “${textOf(answer.error)}”, closed with code ${code}.`
  }
}

function reset(from) {
  const steps = [...byId('flow').children]
  for (const step of steps.slice(from - 1)) mark(step.dataset.step, '', '')
  byId('claims').replaceChildren()
}

function mark(step, state, note) {
  const item = stepOf(step)
  item.className = state
  item.querySelector('p').textContent = note
}

function stepOf(step) {
  return document.querySelector(`#flow [data-step="${step}"]`)
}
