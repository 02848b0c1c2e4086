/** Socket.IO's protocol 5 in Engine.IO's protocol 4. @type {import('./wire.js').Wire} */
export const socketIO = {
  batches: false,
  tokenMethod: 'GET',
  path: () => '/socket.io/?EIO=4&transport=websocket',

  async enter(client, token) {
    await client.signal()
    client.sendRaw(`40{"token":"${token}"}`)
    await client.signal()
  },

  async subscribe(client) {
    await client.request('subscribe', '"news"')
  },

  call: (id, name, json) => `42${id}["${name}",${json}]`,
  result: (callId, json) => `43${callId}[${json}]`,
  frame: ([packet]) => packet,

  decode(text) {
    if (text === '2') return [{ kind: 'ping', reply: '3' }]
    if (text.startsWith('0') || text.startsWith('40')) return [{ kind: 'signal', data: text }]
    if (text.startsWith('43')) return [decodeAck(text)]
    if (text.startsWith('42')) return [decodeEvent(text)]
    return [{ kind: 'unknown' }]
  },
}

function decodeAck(text) {
  const start = text.indexOf('[')
  return { kind: 'answer', id: Number(text.slice(2, start)), data: JSON.parse(text.slice(start))[0] }
}

function decodeEvent(text) {
  const start = text.indexOf('[')
  const data = JSON.parse(text.slice(start))[1]
  return start === 2 ? { kind: 'publication', data } : { kind: 'call', callId: text.slice(2, start), data }
}
