// The page calls the server: socket.rpc(name, data).

import { CallLine } from './call-line.js'
import { byId, make } from './dom.js'

/** The server's functions, each with an argument to start from and what to expect. */
const FUNCTIONS = {
  echo: [{ hello: 'world' }, 'Answers with what it was given.'],
  'math.add': [{ a: 2, b: 3 }, 'A nested name. Try it with words instead of numbers.'],
  'people.list': [null, 'Who is here, and with how many windows.'],
  time: [null, 'An Express route, called as if it were a function. Its body is shown.'],
  fail: [null, 'Fails with an error of its own: code, message and data arrive.'],
  crash: [null, 'Throws. Only the server’s log has the cause; this page learns nothing.'],
  'no.such.function': [null, 'The server has no such function.'],
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
  const head = make('code', {}, `${name}(${data === null ? '' : JSON.stringify(data)})`)
  const line = new CallLine(byId('calls'), [head], { function: name })
  try {
    line.worked(bodyOf(await socket.rpc(name, data)))
  } catch (error) {
    line.failed(error)
  }
}

/** The answer of an Express route brings its status and headers along. */
function bodyOf(answer) {
  if (answer?._headers === undefined) return answer
  const { _code, _headers, ...body } = answer
  return body
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
