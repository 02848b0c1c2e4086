/** What the functions of a contract give, exported: a project with `declaration` has to be able to name the types of all. */

import { TokenSocket } from '@token-socket/client'
import { defineContract, procedure, type } from '@token-socket/contract'
import { fromAsyncApi, toAsyncApi } from '@token-socket/contract/asyncapi'
import { connect, connectCalls, safe, typed, typedCalls } from '@token-socket/contract/client'
import { mockClient, mockServer } from '@token-socket/contract/mock'
import {
  type HandlerMiddleware,
  type Handlers,
  implement,
  typed as typedServer,
} from '@token-socket/contract/server'
import type { ServerSocket, TokenSocketServer } from '@token-socket/server'
import { z } from 'zod'

export const item = procedure({
  input: z.string(),
  output: z.number(),
  errors: { gone: z.object({ at: z.number() }) },
})
export const plain = type<{ a: 1 }>()
export const contract = defineContract({
  server: { item, deep: { tell: procedure({ input: z.string() }) } },
  client: {
    note: procedure({ input: z.number() }),
    ask: procedure({ input: z.string(), output: z.boolean() }),
    in: { hear: procedure({}) },
  },
  both: { move: procedure({ input: plain }) },
  channels: {
    'room-{id}': {
      events: { say: z.object({ text: z.string() }) },
      presence: z.object({ name: z.string() }),
    },
    lobby: { events: { at: z.coerce.date() } },
  },
})
export const { definition } = contract
export const client = await connect(contract, { url: 'ws://x' })
export const calls = await connectCalls(contract, { url: 'ws://x' })
export const socket = new TokenSocket({ host: 'http://x' })
export const over = typed(socket, contract)
export const overCalls = typedCalls(socket, contract)
export const open = () => connect(contract)
export const {
  deep,
  item: callItem,
  handle,
  channel,
  $socket,
  $connect,
  $disconnect,
  $withReconnect,
  $onError,
  $onAnyMessage,
  onNote,
  in: inner,
  onMove,
  move,
} = client
export const unlisten = client.onNote(() => {})
export const unlistenDeep = client.in.onHear(() => {})
export const off = client.$withReconnect(() => {})
export const offError = client.$onError(() => {})
export const offAny = client.$onAnyMessage(() => {})
export const unhandle = client.handle({ ask: () => true })
export function useNote() {
  return client.onNote(() => {})
}
export const answer = client.item('x')
export const awaited = await answer
export const sent = client.deep.tell('x')
export const outcome = await safe(answer)
export const [error, data] = outcome
export const room = client.channel('room-{id}', { id: 1 })
export const unbind = room.bind('say', () => {})
export const offJoined = room.on('joined', () => {})
export const { members, name, uid, bind, send, on, history, release } = room
export const page = await room.history()
export const first = page[0]
export const receipt = await room.send('say', { text: '' })
export const controller = implement(contract, { item: () => 1, deep: { tell() {} }, move() {} })
export const handlers: Handlers<typeof contract> = { item: () => 1, deep: { tell() {} }, move() {} }
export const handler = handlers.item
export const contextOf = (_: unknown, context: Parameters<typeof handler>[1]) => context
export const factories = (context: Parameters<typeof handler>[1]) => context.errors
export const callerOf = (context: Parameters<typeof handler>[1]) => context.client
export const step: HandlerMiddleware<typeof contract> = (_call, next) => next()
export const stepCall = (call: Parameters<typeof step>[0]) => call.client
export const own = (server: TokenSocketServer) => typedServer(server, contract)
export type Own = ReturnType<typeof own>
export const published = (server: Own) => server.publish('lobby', {}, 'at', new Date())
export const asked = (server: Own, who: ServerSocket) => server.rpc(who, 'ask', 'x')
export const notified = (server: Own) => server.notify('sid', 'note', 1)
export const clientOf = (server: Own, who: ServerSocket) => server.client(who)
export const membersOf = (server: Own) => server.members('room-{id}', { id: 1 })
export const { publish, rpc, notify } = null as unknown as Own
export const mock = mockServer(contract, { handlers: { item: () => 1 } })
export const mocked = mock.connect()
export const {
  received,
  client: mockOwn,
  clients,
  webSocket,
  listen,
  failures,
  use,
  reset,
  connect: mockConnect,
  next,
  publish: mockPublish,
} = mock
export const came = mock.next('item')
export const port = mock.listen()
export const caller = mockClient(contract)
export const called = caller.caller(handlers)
export const { received: gone, next: nextOf, connect: connectTo } = caller
export const document = toAsyncApi(contract, { title: 'x', version: '1' })
export const text = fromAsyncApi(document)
export class Service {
  readonly client = connect(contract)
  readonly room = this.client.then((one) => one.channel('room-{id}', { id: 2 }))
  listen() {
    return this.client.then((one) => one.onNote(() => {}))
  }
}
