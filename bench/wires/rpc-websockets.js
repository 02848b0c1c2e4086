/** JSON-RPC 2.0 as rpc-websockets has it. @type {import('./wire.js').Wire} */
export const rpcWebSockets = {
  batches: false,
  path: () => '/',
  enter: async () => {},

  async subscribe(client) {
    await client.request('rpc.on', '["news"]')
  },

  call: (id, name, json) => `{"jsonrpc":"2.0","method":"${name}","params":${json},"id":${id}}`,
  result() {
    throw new Error('its server makes no calls')
  },
  frame: ([message]) => message,

  decode(text) {
    const message = JSON.parse(text)
    if (message.notification !== undefined) return [{ kind: 'publication', data: message.params }]
    if (message.result !== undefined) return [{ kind: 'answer', id: message.id, data: message.result }]
    return [{ kind: 'unknown' }]
  },
}
