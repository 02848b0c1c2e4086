import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'

const PROGRAM = `
import { TokenSocket } from '@token-socket/client'
const socket = new TokenSocket({ host: '127.0.0.1:1' })
let tries = 0
socket.on('state', (state) => {
  console.log(state)
  if (state === 'waiting' && ++tries === 3) socket.end()
})
`

describe('a Node process that holds nothing but a TokenSocket', () => {
  it('goes on trying while the server is away, and ends with the socket', async () => {
    const args = [
      '--conditions=@token-socket/source',
      '--import=tsx',
      '--input-type=module',
      '--eval',
      PROGRAM,
    ]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const states = ['waiting', 'connecting', 'waiting', 'connecting', 'waiting', 'ended']
    expect(stdout.trim().split('\n')).to.deep.equal(states)
  })
})
