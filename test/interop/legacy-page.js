// What the test's page does with the legacy client. It notes every event, so that a test can wait for the next of a kind.

const noted = new Map()
const waiting = new Map()
let socket

function listOf(map, name) {
  if (!map.has(name)) map.set(name, [])
  return map.get(name)
}

/** An `Error` is told from an object that looks like one; `undefined` does not survive the way to the test. */
function plain(value) {
  return value instanceof Error ? { Error: value.message } : (value ?? null)
}

function note(name, ...args) {
  const event = args.map(plain)
  const waiter = listOf(waiting, name).shift()
  if (waiter) waiter(event)
  else listOf(noted, name).push(event)
}

const actions = {
  echo: (data, callback) => callback(null, data),
  nested: { deeper: { name: (_data, callback) => callback(null, 'nested.deeper.name') } },
  failText: (_data, callback) => callback('no such theme'),
  failError: (_data, callback) => callback(new Error('no such error')),
  failObject: (_data, callback) => callback({ status: 402 }),
  later: (data, callback) => setTimeout(() => callback(null, data), 1),
}

window.legacyPage = {
  open(options) {
    socket = new window.TokenSocket(options, actions)
    socket.ready((error) => note('ready', error))
    socket.onreconnect((error) => note('reconnect', error))
    socket.onmessage((channel, message) => note('message', channel, message))
  },

  /** Calls a method of the socket whose last argument is a callback, and resolves to what the callback got. */
  call(method, ...args) {
    return new Promise((resolve) => {
      socket[method](...args, (error, data) => resolve([plain(error), plain(data)]))
    })
  },

  /** As `call`, for a method that is called without a callback. */
  tell(method, ...args) {
    socket[method](...args)
  },

  /** The next event of this name that was not taken yet. */
  next(name) {
    const event = listOf(noted, name).shift()
    return event ?? new Promise((resolve) => listOf(waiting, name).push(resolve))
  },

  /** How many events of this name nobody has taken. */
  untaken(name) {
    return listOf(noted, name).length
  },

  channels() {
    return socket.channels()
  },

  register(name) {
    socket.register({ [name]: (data, callback) => callback(null, [name, data]) })
  },

  end() {
    return new Promise((resolve) => socket.end(() => resolve()))
  },
}
