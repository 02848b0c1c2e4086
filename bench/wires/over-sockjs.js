let sessions = 0

/**
 * A wire in the framing of SockJS's WebSocket transport: `o`, `h`, `a[…]`, `c[…]` from the server, an array of one text
 * from sockjs-client, which sends each message on its own.
 * @param {import('./wire.js').Wire} wire
 * @returns {import('./wire.js').Wire}
 */
export function overSockJS(wire) {
  return {
    ...wire,
    batches: false,
    path: () => `/sockets/000/s${++sessions}/websocket`,

    async enter(client, token) {
      const opened = await client.signal()
      if (opened !== 'o') throw new Error(`SockJS opens with o, not with ${opened}`)
      await wire.enter(client, token)
    },

    frame: ([message]) => `[${JSON.stringify(message)}]`,

    decode(text) {
      if (text === 'o') return [{ kind: 'signal', data: text }]
      if (text === 'h') return []
      if (!text.startsWith('a')) return [{ kind: 'unknown' }]
      return JSON.parse(text.slice(1)).flatMap(wire.decode)
    },
  }
}
