import { Client } from '../loader/client.js'
import { Load } from '../loader/load.js'
import { TokenRequests } from '../loader/token-requests.js'

/**
 * Signs in and leaves: a token over HTTP, a connection, the token on it until the answer comes, and the close. Each of
 * the `connections` does it one time after the other, with a kept-alive HTTP connection.
 * @param {import('./open-clients.js').Setup} setup
 */
export async function createLoad({ wire, port, connections }) {
  const operations = Array.from({ length: connections }, () => {
    const tokens = [new TokenRequests(port, wire.tokenMethod)]
    return (done, step) => signIn({ wire, port, tokens, step }).then(done)
  })
  return new Load({ operations, depth: 1 })
}

/** At a fixed rate one may start before the one before it is done: that takes an HTTP connection more. */
async function signIn({ wire, port, tokens, step }) {
  const requests = tokens.pop() ?? new TokenRequests(port, wire.tokenMethod)
  const token = await requests.get()
  tokens.push(requests)
  const client = await Client.open(wire, { port, token })
  step()
  await new Promise((resolve) => {
    client.onclose = () => resolve(undefined)
    client.close()
  })
}
