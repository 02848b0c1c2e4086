/** What both ends infer of a contract's channels. Nothing here runs: the compiler is the test. */

import type { ChannelParameters } from '@token-socket/contract'
import type { ContractClient } from '@token-socket/contract/client'
import { typed } from '@token-socket/contract/server'
import type { ServerSocket, TokenSocketServer } from '@token-socket/server'
import { type Equal, gives, type Holds, is } from './equal.js'
import { contract, type Example } from './example.js'

declare const client: ContractClient<Example>
declare const sockets: TokenSocketServer
declare const socket: ServerSocket

// Parameters are those of the pattern.
type Two = { readonly tenant: string | number; readonly room: string | number }
export type Parameters = [
  Holds<Equal<ChannelParameters<'room-{id}'>, { readonly id: string | number }>>,
  Holds<Equal<ChannelParameters<'tenant-{tenant}-room-{room}'>, Two>>,
  Holds<Equal<keyof ChannelParameters<'news'>, never>>,
]

const room = client.channel('room-{id}', { id: 7 })
client.channel('tenant-{tenant}-room-{room}', { tenant: 'a', room: 1 }, { token: async () => 'token' })
client.channel('news')

// Events: a handler gets what arrives, `send` takes what travels.
const unbind = room.bind('say', (message) => {
  is<{ text: string; at: number }>()(message.data)
  is<'say'>()(message.event)
  is<string>()(message.channel)
})
is<() => void>()(unbind)
room.send('say', { text: 'hi', at: '7' }, { idempotencyKey: 'a' })
room.send('clear')
room.history({ limit: 2 }).then((page) => {
  for (const message of page) if (message.event === 'say') is<{ text: string; at: number }>()(message.data)
})

// Presence: what arrives of the user metadata; anything where the contract does not say.
interface Person {
  name: string
  since: number
}
for (const { uid, umd } of room.members) [is<string>()(uid), is<Person>()(umd)]
room.on('joined', ({ umd }) => is<Person>()(umd))
room.on('subscribed', () => {})
for (const { umd } of client.channel('news').members) is<unknown>()(umd)

export const wrong = [
  // @ts-expect-error there is no such channel
  () => client.channel('rooms-{id}', { id: 7 }),
  // @ts-expect-error the pattern is asked for, not the name
  () => client.channel('room-7'),
  // @ts-expect-error a parameter is missing
  () => client.channel('room-{id}', {}),
  // @ts-expect-error all parameters are missing
  () => client.channel('room-{id}'),
  // @ts-expect-error there is no such parameter
  () => client.channel('room-{id}', { id: 7, name: 'x' }),
  // @ts-expect-error a parameter is a text or a number
  () => client.channel('room-{id}', { id: null }),
  // @ts-expect-error there is no such event
  () => room.bind('shout', () => {}),
  // @ts-expect-error there is no such event
  () => room.send('shout', { text: 'hi' }),
  // @ts-expect-error the data is missing
  () => room.send('say'),
  // @ts-expect-error the data is of another type
  () => room.send('say', { text: 1, at: 1 }),
  // @ts-expect-error the event takes no data
  () => room.send('clear', 'all'),
  // @ts-expect-error there is no such event of a channel itself
  () => room.on('arrived', () => {}),
]

// The server's side.
const server = typed(sockets, contract)
server.publish('room-{id}', { id: 7 }, 'say', { text: 'hi', at: '7' })
server.members('room-{id}', { id: 7 }).then((members) => members.map(({ umd }) => is<Person>()(umd)))
gives<boolean>()(server.rpc(socket, 'ask', 'really?', { timeout: 10 }))
gives<'yes' | 'no'>()(server.rpc('sid', 'news.vote'))
gives<number>()(server.rpc(socket, 'sum', [1]))
gives<undefined>()(server.notify(socket, 'news.flash', 'now'))
gives<boolean>()(server.client(socket).ask('really?'))

export const wrongOfServer = [
  // @ts-expect-error there is no such event
  () => server.publish('room-{id}', { id: 7 }, 'shout', { text: 'hi', at: 1 }),
  // @ts-expect-error the data is of another type
  () => server.publish('room-{id}', { id: 7 }, 'say', 'hi'),
  // @ts-expect-error a parameter is missing
  () => server.members('room-{id}', {}),
  // @ts-expect-error it is a one-way message: `notify`
  () => server.rpc(socket, 'sendGreeting', { greeting: 1 }),
  // @ts-expect-error it is answered: `rpc`
  () => server.notify(socket, 'ask', 'really?'),
  // @ts-expect-error clients call it
  () => server.rpc(socket, 'time'),
  // @ts-expect-error the input is of another type
  () => server.rpc(socket, 'ask', 7),
]
