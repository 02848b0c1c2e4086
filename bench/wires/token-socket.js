/** The wire of TokenSocket and of its predecessor, as docs/PROTOCOL.md has it. @type {import('./wire.js').Wire} */
export const tokenSocket = {
  batches: true,
  tokenMethod: 'POST',
  path: () => '/sockets/websocket',

  async enter(client, token) {
    client.send(`{"rpc":"auth","token":"${token}","uuid":"auth","version":1}`)
    const answer = await client.signal()
    if (answer.resp !== 'success') throw new Error(`the token was refused: ${JSON.stringify(answer)}`)
  },

  // The legacy server gives no answer but this notice.
  async subscribe(client) {
    client.send('{"rpc":"_subscribe","req":{"channel":"news"},"uuid":"s"}')
    await client.signal()
  },

  async join(client, channel) {
    const joined = client.request('_subscribe', JSON.stringify({ channel }))
    const { data } = await client.signal()
    await joined
    return data
  },

  async resume(client, token, { places }) {
    await this.enter(client, token)
    for (const place of places) {
      client.call('_subscribe', JSON.stringify(place), () => {})
      const { data } = await client.signal()
      if (data.recovered !== true) throw new Error(`not recovered: ${JSON.stringify(data)}`)
    }
  },

  call: (id, name, json) => `{"rpc":"${name}","req":${json},"uuid":"${id}"}`,
  result: (callId, json) => `{"rpc":"_rpc","fid":"${callId}","resp":{"data":${json}}}`,
  frame: (messages) => messages.join('\n'),

  decode: (text) => (text.includes('\n') ? text.split('\n') : [text]).flatMap(decodeMessage),
}

function decodeMessage(text) {
  // A sign of life.
  if (text === '') return []
  const message = JSON.parse(text)
  if (message.error) return { kind: 'unknown' }
  if (message.rpc === 'auth') return { kind: 'signal', data: message }
  if (message.uuid === 's') return []
  if (message.rpc !== undefined) return { kind: 'answer', id: Number(message.uuid), data: message.resp }
  if (message.channel !== undefined) return decodePublication(message)
  if (message.command === 'rpc') return { kind: 'call', callId: message.data.fid, data: message.data.args }
  return { kind: 'signal', data: message }
}

function decodePublication({ channel, message, epoch, offset }) {
  return { kind: 'publication', data: message, place: { channel, epoch, offset } }
}
