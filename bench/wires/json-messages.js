/** JSON messages as a program of its own would have them: see peers/json-messages.js. @type {import('./wire.js').Wire} */
export const jsonMessages = {
  batches: false,
  path: () => '/',
  enter: async () => {},

  async subscribe(client) {
    await client.request('subscribe', '"news"')
  },

  call: (id, name, json) => `{"id":${id},"method":"${name}","params":${json}}`,
  result: (callId, json) => `{"call":${callId},"result":${json}}`,
  frame: ([message]) => message,

  decode(text) {
    const message = JSON.parse(text)
    if (message.channel !== undefined) return [{ kind: 'publication', data: message.data }]
    if (message.call !== undefined) return [{ kind: 'call', callId: message.call, data: message.params }]
    if (message.id !== undefined) return [{ kind: 'answer', id: message.id, data: message.result }]
    return [{ kind: 'unknown' }]
  },
}
