import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'

const PROGRAM = `
import { defineContract, procedure, type } from '@token-socket/contract'
import { connect } from '@token-socket/contract/client'
import { mockServer } from '@token-socket/contract/mock'
const contract = defineContract({ server: { note: procedure({ input: type() }) } })
const mock = mockServer(contract)
const { url } = await mock.listen()
const clients = [
  await connect(contract, { url, logLevel: 'none' }),
  await connect(contract, { url, logLevel: 'none', authentication: 'none' }),
  await connect(contract, { host: 'mock', authentication: { token: 'mock' }, webSocket: mock.webSocket, logLevel: 'none' }),
]
for (const client of clients) client.$socket.on('state', (state) => console.log(state))
await mock.close()
`

describe('a process with a mock server and clients that connected themselves', () => {
  it('ends after `close`: no client tries to come back', async () => {
    const args = [
      '--conditions=@token-socket/source',
      '--import=tsx',
      '--input-type=module',
      '--eval',
      PROGRAM,
    ]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 100_000 })
    expect(stdout.trim().split('\n')).to.deep.equal(['failed', 'failed', 'failed'])
  })
})
