// The page: which chat it shows, and the two windows onto it.

import { Pane } from './pane.js'
import { requestToken } from './tokens.js'

const STORAGE_KEY = 'token-socket-chat'
const PEOPLE = [
  { uid: 'jim', name: 'Jim' },
  { uid: 'pam', name: 'Pam' },
]

let panes = []
/** Counts the chats that were asked for: only the answer for the last one is shown. */
let shown = 0

/** The chat of a shared link, or the last one of this browser; none at the first visit. */
function knownSession() {
  return location.hash.slice(1) || stored()
}

function stored() {
  try {
    return localStorage.getItem(STORAGE_KEY) || undefined
  } catch {
    // A browser that keeps nothing: the link has the id.
    return undefined
  }
}

function remember(session) {
  try {
    localStorage.setItem(STORAGE_KEY, session)
  } catch {}
  if (location.hash.slice(1) !== session) history.replaceState(null, '', `#${session}`)
}

/**
 * The address has the chat's id in it. A page that did not come by HTTPS may not write to the
 * clipboard.
 */
async function copyLink() {
  const copied = document.getElementById('copied')
  copied.textContent = ''
  try {
    await navigator.clipboard.writeText(location.href)
    copied.textContent = 'Link copied'
  } catch {
    prompt('The link to this chat:', location.href)
  }
}

/** Shows a chat, a new one if none is given. */
async function show(session) {
  shown += 1
  const turn = shown
  for (const pane of panes) pane.end()
  panes = []
  try {
    const first = await requestToken({ uid: PEOPLE[0].uid, session })
    if (turn !== shown) return
    remember(first.session)
    panes = PEOPLE.map(
      (person, index) =>
        new Pane(person, PEOPLE[1 - index], { session: first.session, token: index === 0 && first.token }),
    )
    document.getElementById('panes').replaceChildren(...panes.map(({ element }) => element))
  } catch (error) {
    if (turn !== shown) return
    if (session !== undefined && error.status === 400) return show()
    document.getElementById('panes').textContent = `${error.message} Reload the page to try again.`
  }
}

addEventListener('hashchange', () => {
  const session = location.hash.slice(1)
  if (session !== panes[0]?.session) show(session || undefined)
})
document.getElementById('copy').addEventListener('click', copyLink)
document.getElementById('new-chat').addEventListener('click', () => show())

show(knownSession())
