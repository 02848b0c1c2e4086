// The server calls the page: the second argument of `new TokenSocket(options, actions)`.

import { addLine, byId, make, textOf, timeOf } from './dom.js'

/** Milliseconds that the question stays on the page. The server waits as long. */
const ANSWER_TIME = 20_000

let withdraw = () => {}

/** The functions that the server may call. What they return or resolve goes back to it. */
export const actions = {
  greet: ({ from }) => {
    const answer = `${byId('account-name').textContent} says hello back`
    showCall(`greet: hello from ${from}`, answer)
    return answer
  },

  ask: ({ question }, callback) => {
    ask(question).then(
      (answer) => {
        showCall(`ask: ${question}`, answer)
        callback(null, answer)
      },
      (error) => {
        showCall(`ask: ${question}`, error.message)
        callback(error)
      },
    )
  },
}

/** The two buttons that make the server call. */
export function offerToBeCalled(getSocket) {
  const make = (name) => async () => {
    try {
      showResult(name, JSON.stringify(await getSocket().rpc(name)))
    } catch (error) {
      showResult(name, `${error.code}: ${textOf(error)}`)
    }
  }
  byId('greet-everyone').addEventListener('click', make('greetEveryone'))
  byId('ask-me').addEventListener('click', make('askMe'))
}

/** Asks the person. One question at a time: a newer one takes the place of the one before. */
function ask(question) {
  withdraw()
  const form = byId('question')
  form.querySelector('label').textContent = `The server asks: ${question}`
  form.reset()
  form.hidden = false
  byId('answer').focus()
  return new Promise((resolve, reject) => {
    const settle = (run) => {
      clearTimeout(timer)
      form.hidden = true
      form.onsubmit = null
      withdraw = () => {}
      run()
    }
    const timer = setTimeout(() => withdraw(), ANSWER_TIME)
    withdraw = () => settle(() => reject({ code: 'no_answer', message: 'Nobody answered' }))
    form.onsubmit = (event) => {
      event.preventDefault()
      settle(() => resolve(byId('answer').value))
    }
  })
}

function showCall(what, answer) {
  const head = make('p', {}, timeOf(), ' ', make('span', { className: 'arrow' }, 'server → you '), what)
  addLine(byId('called'), make('li', {}, head, make('div', { className: 'outcome worked' }, answer)))
}

function showResult(name, text) {
  const head = make('p', {}, timeOf(), ' ', make('code', {}, `${name}()`), ' answered')
  addLine(
    byId('called'),
    make('li', {}, head, make('div', { className: 'outcome worked' }, make('code', {}, text))),
  )
}
