// The playground's page: signs in over HTTP as any page would, and then has a socket.

import { actions, offerToBeCalled } from './called.js'
import { offerCalls } from './calls.js'
import { channelsOf, offerChannels, showChannels } from './channels.js'
import { chosenTransport, showConnection, showNoConnection } from './connection.js'
import { byId } from './dom.js'
import { textOf } from './failure.js'
import { showSeen } from './seen.js'
import { showSession } from './token-flow.js'

const { TokenSocket } = window

let socket
let name
/** The request of the sign-in or sign-out before: cookies are set in the order of the requests. */
let lastPost = Promise.resolve()
/** Counts the clicks on sign-in and sign-out: only the answer to the last one changes the page. */
let clicks = 0

const getSocket = () => socket
offerCalls(getSocket)
offerToBeCalled(getSocket)
offerChannels(getSocket, () => name)

byId('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault()
  clicks += 1
  const click = clicks
  byId('sign-in-problem').textContent = ''
  try {
    const answer = await post('/sign-in', { name: byId('name').value })
    if (click !== clicks) return
    enter(answer.name)
    // The form is gone: the keyboard and the screen reader go on from the heading.
    byId('greeting').focus()
  } catch (error) {
    if (click === clicks) byId('sign-in-problem').textContent = textOf(error)
  }
})

byId('sign-out').addEventListener('click', async () => {
  clicks += 1
  leave('')
  await post('/sign-out').catch((error) => console.warn(error))
})

byId('cut').addEventListener('click', () => socket.rpc('cutMe').catch(() => {}))

byId('wanted-transport').addEventListener('change', () => {
  const channels = channelsOf(socket)
  showSession(name)
  connect(channels)
})

// So that it can take the focus, and the keyboard can scroll the logs.
byId('greeting').tabIndex = -1
for (const log of document.querySelectorAll('.log')) log.tabIndex = 0

const session = await (await fetch('/session')).json()
if (session.name) enter(session.name)
else leave('')

/** The person is signed in: from here on the socket sees to itself. */
function enter(newName) {
  name = newName
  byId('account-name').textContent = name
  showPage(true)
  showSession(name)
  connect(['lobby'])
}

function leave(why) {
  name = undefined
  socket?.end()
  socket = undefined
  showPage(false)
  showSession(undefined)
  showNoConnection()
  byId('sign-in-problem').textContent = why
  byId('name').focus()
}

/** Opens a socket in place of the one before. */
function connect(channels) {
  socket?.end()
  const made = new TokenSocket(chosenTransport(), actions)
  socket = made
  showConnection(made)
  showChannels(made, channels)
  showSeen(made)
  // The server may say for good that this person is not welcome (any more).
  made.on('state', (state) => {
    if (state === 'failed' && made === socket) leave('You were signed out.')
  })
  made.on('reconnect', (error) => {
    if (error?.data?.status !== 403 || made !== socket) return
    leave('Your session is over.')
  })
}

function showPage(isSignedIn) {
  document.body.dataset.signedIn = isSignedIn
  byId('welcome').hidden = isSignedIn
  byId('account').hidden = !isSignedIn
  byId('greeting').textContent = `Welcome, ${name}`
  document.title = isSignedIn ? `${name} · TokenSocket playground` : 'TokenSocket playground'
}

/** Sends a request once the one before is answered. */
function post(path, body = {}) {
  const answer = lastPost.then(() => send(path, body))
  lastPost = answer.catch(() => {})
  return answer
}

async function send(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error)
  return answer
}
