// A mock server, in the page itself, answers a client.
import { defineContract, procedure } from '@token-socket/contract'
import { mockServer } from '@token-socket/contract/mock'

/** A schema without a library: whole numbers that are one of two. */
const twice = {
  '~standard': {
    version: 1,
    vendor: 'page',
    validate: (value) => (value === 21 ? { value: value * 2 } : { issues: [{ message: '21' }] }),
    jsonSchema: { input: () => ({ type: 'integer', enum: [20, 21] }) },
  },
}

const contract = defineContract({ server: { double: procedure({ output: twice }) } })
const mock = mockServer(contract, { seed: 'page' })

window.outcome = mock.connect().then(async (client) => ({ doubled: await client.double() }))
