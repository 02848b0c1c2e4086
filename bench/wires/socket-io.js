/** Socket.IO's protocol 5 in Engine.IO's protocol 4. @type {import('./wire.js').Wire} */
export const socketIO = {
  batches: false,
  tokenMethod: 'GET',
  path: () => '/socket.io/?EIO=4&transport=websocket',

  async enter(client, token) {
    await client.signal()
    client.sendRaw(`40{"token":"${token}"}`)
    const { pid } = JSON.parse((await client.signal()).slice(2))
    client.session = pid
  },

  async resume(client, token, { name, places }) {
    await client.signal()
    client.sendRaw(`40${JSON.stringify({ token, pid: name, offset: places.at(-1) })}`)
    const { pid } = JSON.parse((await client.signal()).slice(2))
    if (pid !== name) throw new Error(`not recovered: ${name} is now ${pid}`)
  },

  join: (client, channel) => client.request('subscribe', JSON.stringify(channel)),

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
  // Where clients can get what they missed, a publication's place comes after its data.
  const [, data, place] = JSON.parse(text.slice(start))
  return start === 2
    ? { kind: 'publication', data, place }
    : { kind: 'call', callId: text.slice(2, start), data }
}
