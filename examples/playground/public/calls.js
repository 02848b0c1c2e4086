// The page calls the server: socket.rpc(name, data).

import { addLine, byId, duration, make, textOf, timeOf } from './dom.js'

/** The server's functions, each with an argument to start from and what to expect. */
const FUNCTIONS = {
  echo: [{ hello: 'world' }, 'Answers with what it was given.'],
  'math.add': [{ a: 2, b: 3 }, 'A nested name. Try it with words instead of numbers.'],
  'people.list': [null, 'Who is here, and with how many windows.'],
  time: [null, 'An Express route, called as if it were a function.'],
  fail: [null, 'Fails with an error of its own: code, message and data arrive.'],
  crash: [null, 'Throws. Only the server’s log has the cause; this page learns nothing.'],
  'no.such.function': [null, 'Nobody has defined this one.'],
}

const names = byId('function')
const argument = byId('argument')
const problem = byId('argument-problem')

/** Lets the person call. @param getSocket the socket at the moment of the call */
export function offerCalls(getSocket) {
  names.append(...Object.keys(FUNCTIONS).map((name) => new Option(name)))
  names.addEventListener('change', showFunction)
  showFunction()
  byId('call').addEventListener('submit', (event) => {
    event.preventDefault()
    const data = readArgument()
    if (data !== undefined) call(getSocket(), names.value, data)
  })
}

async function call(socket, name, data) {
  const outcome = make('div', { className: 'outcome waiting' }, 'waiting…')
  const time = make('span', { className: 'took' })
  const head = make('p', {}, timeOf(), ' ', make('code', {}, `${name}(${shown(data)})`), ' ', time)
  addLine(byId('calls'), make('li', { data: { function: name } }, head, outcome))
  const start = performance.now()
  try {
    const answer = await socket.rpc(name, data)
    finish(outcome, 'worked', make('code', {}, JSON.stringify(answer)))
  } catch (error) {
    const details = error.data === undefined ? '' : ` ${JSON.stringify(error.data)}`
    finish(outcome, 'failed', make('code', { className: 'code' }, error.code), ` ${textOf(error)}${details}`)
  }
  time.textContent = duration(performance.now() - start)
  byId('calls').scrollTop = byId('calls').scrollHeight
}

function finish(outcome, state, ...children) {
  outcome.className = `outcome ${state}`
  outcome.replaceChildren(...children)
}

function showFunction() {
  const [data, note] = FUNCTIONS[names.value]
  argument.value = data === null ? '' : JSON.stringify(data)
  byId('function-note').textContent = note
  readArgument()
}

/** The argument, `null` for none, `undefined` if it can't be read. */
function readArgument() {
  problem.textContent = ''
  argument.removeAttribute('aria-invalid')
  if (argument.value.trim() === '') return null
  try {
    return JSON.parse(argument.value)
  } catch (error) {
    problem.textContent = `This is not JSON: ${error.message}`
    argument.setAttribute('aria-invalid', 'true')
    return undefined
  }
}

function shown(data) {
  return data === null ? '' : JSON.stringify(data)
}
