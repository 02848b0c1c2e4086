// Channels: subscribe, unsubscribe, publish, broadcast.

import { addLine, byId, make, timeOf } from './dom.js'
import { describe } from './failure.js'
import { SERVER_CHANNEL } from './seen.js'

/** Tells this window from others of the same person. */
const WINDOW = Math.random().toString(36).slice(2)

const log = byId('messages')

/** The socket whose channels are shown: answers for one before it change nothing. */
let current

/** The channels that the person has chosen: all but the one for what the server sees. */
export function channelsOf(socket) {
  return socket.channels().filter((channel) => channel !== SERVER_CHANNEL)
}

/**
 * Lets the person use channels.
 * @param getSocket the socket at the moment
 * @param getName who the person is
 */
export function offerChannels(getSocket, getName) {
  byId('subscribe').addEventListener('submit', (event) => {
    event.preventDefault()
    const channel = byId('channel').value.trim()
    event.target.reset()
    if (channel) subscribe(getSocket(), channel)
  })
  const message = () => ({ from: getName(), window: WINDOW, text: byId('text').value })
  byId('publish').addEventListener('submit', (event) => {
    event.preventDefault()
    send(getSocket(), (socket) => socket.publish(byId('publish-channel').value, message()))
  })
  byId('broadcast').addEventListener('click', () => {
    if (byId('publish').reportValidity()) send(getSocket(), (socket) => socket.broadcast(message()))
  })
}

/** Follows one socket's channels. @param channels to subscribe to */
export function showChannels(socket, channels) {
  current = socket
  for (const problem of ['subscribe-problem', 'publish-problem']) byId(problem).replaceChildren()
  showSubscribed(socket)
  socket.on('message', (channel, message) => {
    if (channel !== SERVER_CHANNEL) showMessage(channel, message)
  })
  socket.on('reconnect', (error) => {
    if (!error) showNote(`Back again. Still subscribed to ${channelsOf(socket).join(', ') || 'nothing'}`)
  })
  for (const channel of channels) subscribe(socket, channel)
}

async function subscribe(socket, channel) {
  const isDone = await attempt(socket, { problem: 'subscribe-problem', run: () => socket.subscribe(channel) })
  if (isDone) showNote(`Subscribed to ${channel}`)
  showSubscribed(socket)
}

async function unsubscribe(socket, channel) {
  const isDone = await attempt(socket, {
    problem: 'subscribe-problem',
    run: () => socket.unsubscribe(channel),
  })
  if (isDone) showNote(`Unsubscribed from ${channel}`)
  showSubscribed(socket)
}

async function send(socket, run) {
  const isSent = await attempt(socket, { problem: 'publish-problem', run: () => run(socket) })
  if (isSent) byId('text').value = ''
  if (socket === current) byId('text').focus()
}

/**
 * Runs something of a socket, and shows its failure in an element beside the button, unless
 * another socket has taken its place by then.
 * @returns whether it worked, and the socket is still the one that is shown
 */
async function attempt(socket, { problem, run }) {
  byId(problem).replaceChildren()
  try {
    await run()
    return socket === current
  } catch (error) {
    if (socket === current) byId(problem).replaceChildren(...describe(error))
    return false
  }
}

function showSubscribed(socket) {
  if (socket !== current) return
  const channels = channelsOf(socket)
  const chips = channels.map((channel) => {
    const button = make('button', { type: 'button', ariaLabel: `Unsubscribe from ${channel}` }, '×')
    button.addEventListener('click', () => unsubscribe(socket, channel))
    return make('li', { data: { channel } }, channel, button)
  })
  byId('channels').replaceChildren(...chips)
  const select = byId('publish-channel')
  const chosen = select.value
  select.replaceChildren(...channels.map((channel) => new Option(channel)))
  if (channels.includes(chosen)) select.value = chosen
  select.disabled = channels.length === 0
  byId('publish').querySelector('[type="submit"]').disabled = channels.length === 0
}

/**
 * A message is what another page sent: nothing about it is certain but who sent it, which the
 * server checks.
 */
function showMessage(channel, message) {
  const { from, window, text } = message ?? {}
  const isMine = window === WINDOW
  const who = make('strong', {}, isMine ? `${from} (you)` : String(from))
  const head = make('p', {}, who, ' ', make('span', { className: 'channel' }, channel), ' ', timeOf())
  const line = make('li', { className: isMine ? 'mine' : '', data: { channel } }, head)
  line.append(make('p', { className: 'text' }, String(text)))
  addLine(log, line)
}

function showNote(text) {
  addLine(log, make('li', { className: 'note' }, timeOf(), ` ${text}`))
}
