/** What a typed server takes and gives. */

import type { ClientOperations } from '@token-socket/contract'
import { defineContract, procedure, type } from '@token-socket/contract'
import { type OperationNames, typed } from '@token-socket/contract/server'
import type { ServerSocket, TokenSocketServer } from '@token-socket/server'
import { z } from 'zod'
import type { Equal, Holds } from './equal.js'

const contract = defineContract({
  server: { pay: procedure({ output: type<number>() }) },
  client: {
    confirm: procedure({ input: z.coerce.date(), output: z.string().transform(Number) }),
    note: procedure(),
    a: {
      b: { c: { deep: procedure({ input: type<number>(), output: type<boolean>() }), say: procedure() } },
    },
  },
  both: { move: procedure({ input: type<{ x: number }>() }) },
})
declare const server: TokenSocketServer
declare const socket: ServerSocket

type Client = ClientOperations<typeof contract>
export type Names = Holds<
  | Equal<OperationNames<Client, false>, 'confirm' | 'a.b.c.deep'>
  | Equal<OperationNames<Client, true>, 'note' | 'a.b.c.say' | 'move'>
>

const own = typed(server, contract)
export const confirmed: Promise<number> = own.rpc(socket, 'confirm', '2020-01-01')
export const deep: Promise<boolean> = own.rpc('a sid', 'a.b.c.deep', 1, { timeout: 1000 })
export const sent: Promise<undefined> = own.notify(socket, 'move', { x: 1 })
own.notify(socket, 'note')
own
  .client(socket)
  .a.b.c.deep(1)
  .then((answer) => answer satisfies boolean)

export const wrong = [
  // @ts-expect-error there is no such operation
  () => own.rpc(socket, 'none'),
  // @ts-expect-error it is an operation of the server
  () => own.rpc(socket, 'pay'),
  // @ts-expect-error a branch is no operation
  () => own.rpc(socket, 'a.b', 1),
  // @ts-expect-error it is a one-way message
  () => own.rpc(socket, 'move', { x: 1 }),
  // @ts-expect-error it answers
  () => own.notify(socket, 'confirm', new Date()),
  // @ts-expect-error the input is a number
  () => own.rpc(socket, 'a.b.c.deep', 'x'),
  // @ts-expect-error the input is missing
  () => own.rpc(socket, 'a.b.c.deep'),
  // @ts-expect-error a one-way message waits for no answer
  () => own.notify(socket, 'move', { x: 1 }, { timeout: 10 }),
  // @ts-expect-error nor does it without an input
  () => own.notify('a sid', 'note', undefined, {}),
  // @ts-expect-error nor at depth 4, of a socket's client
  () => own.client(socket).a.b.c.say(undefined, { timeout: 10 }),
  // @ts-expect-error there is no such option
  () => typed(server, contract, { check: true }),
]
