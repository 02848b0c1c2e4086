import { RpcError } from '@token-socket/server'

/** Milliseconds that a person has to answer a question. */
const ANSWER_TIME = 20_000

/**
 * The functions that a page can call, by dotted name: `socket.rpc('math.add', { a: 2, b: 3 })`.
 * Each gets `(auth, data, callback, socket, call)`; what it returns or resolves is the answer.
 * @param {() => import('@token-socket/server').RemoteClient[]} sockets all that are connected
 */
export function makeController(sockets) {
  return {
    echo: (_auth, data) => data,

    math: {
      add: (_auth, data) => {
        const { a, b } = data ?? {}
        if (!Number.isFinite(a) || !Number.isFinite(b))
          throw new RpcError('not_numbers', 'a and b have to be numbers')
        return a + b
      },
    },

    people: { list: () => peopleOf(sockets()) },

    // An RpcError reaches the caller whole: code, message and data.
    fail: (auth) => {
      throw new RpcError('out_of_coffee', `Sorry ${auth.name}, there is no coffee left`, {
        refillAt: '15:00',
      })
    },

    // Anything else that is thrown stays here, in the log: the caller sees `internal` only.
    crash: () => {
      throw new Error('a detail that stays on the server')
    },

    // The other direction: the server calls the page's own `ask`, and waits for the person. When
    // the caller gives up or leaves, `signal` aborts, and the question goes from the page.
    askMe: async (_auth, _data, _callback, socket, { signal }) => {
      const question = 'What should we have for lunch?'
      return { question, answer: await socket.rpc('ask', { question }, { timeout: ANSWER_TIME, signal }) }
    },

    greetEveryone: async (auth) => {
      const calls = sockets().map((socket) => socket.rpc('greet', { from: auth.name }, { timeout: 5000 }))
      const outcomes = await Promise.allSettled(calls)
      return outcomes.map(({ value, reason }) => value ?? `no answer: ${reason.code}`)
    },

    // The answer leaves before the connection is closed; the page comes back by itself.
    cutMe: (_auth, _data, _callback, socket) => {
      setImmediate(() => socket.end())
      return 'see you soon'
    },
  }
}

/**
 * Express handlers can be called too: `socket.rpc('time')` runs this one as if a request had come.
 */
export const routes = {
  time: (request, response) => {
    response.json({ time: new Date().toISOString(), for: request.user.name })
  },
}

function peopleOf(sockets) {
  const people = new Map()
  for (const { auth } of sockets) {
    const person = people.get(auth.uid) ?? { name: auth.name, windows: 0 }
    people.set(auth.uid, { ...person, windows: person.windows + 1 })
  }
  return [...people.values()]
}
