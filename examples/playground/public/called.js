// The server calls the page: the second argument of `new TokenSocket(options, actions)`.

import { CallLine } from './call-line.js'
import { byId, make } from './dom.js'

/** Takes the question back that is on the page. */
let withdraw = () => {}

/** The functions that the server may call. What they return or resolve goes back to it. */
export const actions = {
  greet: ({ from }) => {
    const answer = `${byId('account-name').textContent} says hello back`
    called(`greet: hello from ${from}`).worked(answer)
    return answer
  },

  // The signal aborts when the server waits no longer for the answer: its time is over, or the
  // connection is lost.
  ask: async ({ question }, _callback, { signal }) => {
    const line = called(`ask: ${question}`)
    try {
      const answer = await ask(question, signal)
      line.worked(answer)
      return answer
    } catch (error) {
      line.failed(error)
      throw error
    }
  },
}

/**
 * The two buttons that make the server call.
 * @param getSocket the socket at the moment of the call
 */
export function offerToBeCalled(getSocket) {
  const call = async (name, options) => {
    const line = new CallLine(byId('called'), [make('code', {}, `${name}()`)], { function: name })
    try {
      line.worked(await getSocket().rpc(name, null, options))
    } catch (error) {
      line.failed(error)
    }
  }
  byId('greet-everyone').addEventListener('click', () => call('greetEveryone'))
  byId('ask-me').addEventListener('click', () => {
    // Giving up goes all the way: to the server's function, and from there to the question on this
    // page.
    const controller = new AbortController()
    byId('give-up').onclick = () => controller.abort()
    call('askMe', { signal: controller.signal })
  })
}

/**
 * Asks the person, until the signal aborts. One question at a time: a newer one replaces the one
 * before.
 */
async function ask(question, signal) {
  withdraw()
  const form = byId('question')
  form.querySelector('label').textContent = `The server asks: ${question}`
  form.reset()
  form.hidden = false
  byId('answer').focus()
  let isReplaced = false
  try {
    return await new Promise((resolve, reject) => {
      withdraw = () => {
        isReplaced = true
        reject({ code: 'replaced', message: 'Another question came' })
      }
      signal.addEventListener('abort', () => reject(signal.reason))
      form.onsubmit = (event) => {
        event.preventDefault()
        resolve(byId('answer').value)
      }
    })
  } finally {
    // By then the form may have the newer question.
    if (!isReplaced) form.hidden = true
  }
}

function called(what) {
  return new CallLine(byId('called'), [make('span', { className: 'arrow' }, 'server → you '), what])
}
