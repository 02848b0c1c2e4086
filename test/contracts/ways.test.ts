/** Every way in which a value travels: it is checked where it arrives, and what is wrong with it names no value. */
import { defineContract, procedure, type Schema } from '@token-socket/contract'
import type { ContractClient } from '@token-socket/contract/client'
import { mockServer } from '@token-socket/contract/mock'
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { rejection } from '../protocol/rejection.js'

const SECRET = 'S3CR3T'
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Takes the text `right` only; its message has the value, as Valibot's do. */
function text(isAsync: boolean): Schema<string> {
  const validate = (value: unknown) =>
    value === 'right'
      ? { value: 'right' }
      : { issues: [{ message: `Expected right but received ${String(value)}`, received: value }] }
  const later = async (value: unknown) => turn().then(() => validate(value))
  return { '~standard': { version: 1, vendor: 'test', validate: isAsync ? later : validate } }
}

function contractOf(isAsync: boolean) {
  const value = text(isAsync)
  const operations = {
    input: procedure({ input: value, output: text(false) }),
    output: procedure({ output: value }),
    error: procedure({ output: value, errors: { declared: value } }),
    message: procedure({ input: value }),
  }
  return defineContract({
    server: operations,
    client: operations,
    channels: { room: { events: { say: value }, presence: value } },
  })
}

type OwnContract = ReturnType<typeof contractOf>

/** What a test sends through, and where it reads what failed. */
interface Ends {
  readonly client: ContractClient<OwnContract>
  readonly mock: ReturnType<typeof mockServer<OwnContract>>
  /** What the client's `$onError` received. */
  readonly told: RpcError[]
}

const SERVER = {
  output: () => SECRET,
  error: () => {
    throw new RpcError('declared', undefined, SECRET)
  },
}

/** A way, and what comes of a wrong value: the code that its sender gets, or that the client's `$onError` does. */
const WAYS: Readonly<Record<string, readonly [code: string, send: (ends: Ends) => Promise<RpcError>]>> = {
  'the input of a call': ['invalid_input', ({ client }) => rejection(client.input(SECRET))],
  'the answer of a call': ['internal', ({ client }) => rejection(client.output())],
  "the data of a call's error": ['internal', ({ client }) => rejection(client.error())],
  'a message to the server': [
    'invalid_input',
    async ({ client, told }) => {
      client.message(SECRET)
      return first(told)
    },
  ],
  'the input of a call of the server': ['invalid_input', ({ mock }) => rejection(mock.client.input(SECRET))],
  'the answer of a client': ['invalid_output', ({ mock }) => rejection(mock.client.output())],
  "the data of a client's error": ['invalid_output', ({ mock }) => rejection(mock.client.error())],
  'a publication of a client': [
    'invalid_input',
    ({ client }) => rejection(client.channel('room').send('say', SECRET)),
  ],
}

async function first(told: readonly RpcError[]): Promise<RpcError> {
  for (let left = 50; left > 0 && told.length === 0; left -= 1) await turn()
  return told[0] as RpcError
}

for (const isAsync of [false, true])
  describe(`a value that travels, its schema ${isAsync ? 'asynchronous' : 'synchronous'}`, () => {
    for (const [way, [code, send]] of Object.entries(WAYS))
      it(`is checked without being named: ${way}`, async () => {
        const mock = mockServer(contractOf(isAsync), { handlers: SERVER as never })
        const client = await mock.connect({ checkSent: false })
        client.handle(SERVER as never)
        const told: RpcError[] = []
        client.$onError((error) => told.push(error))
        const error = await send({ client, mock, told })
        expect(error.code).to.equal(code)
        expect(JSON.stringify([error.message, error.data])).to.not.contain(SECRET)
        await mock.close()
      })

    it('is checked without being named: a member, beside messages and a history that are right', async () => {
      const mock = mockServer(contractOf(isAsync))
      const client = await mock.connect({ checkSent: false, umd: SECRET })
      const told: RpcError[] = []
      client.$onError((error) => told.push(error))
      const room = client.channel('room')
      const heard: string[] = []
      room.bind('say', ({ data }) => heard.push(data))
      await room.send('say', 'right')
      expect((await room.history()).map(({ data }) => data)).to.deep.equal(['right'])
      expect(heard).to.deep.equal(['right'])
      expect(room.members).to.deep.equal([])
      expect((await first(told)).code).to.equal('invalid_input')
      expect(JSON.stringify(told)).to.not.contain(SECRET)
      await mock.close()
    })
  })
