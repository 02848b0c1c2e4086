/** What `new TokenSocket<typeof controller>()` infers. Nothing here runs: the compiler is the test. */

import { type Controller, type FunctionNames, type RpcError, TokenSocket } from '@token-socket/client'
import type { ServerController } from '@token-socket/server'
import { type Equal, gives, type Holds, is } from './equal.js'

class Orders {
  private readonly rows = new Map<number, string>()
  readonly total = (_auth: unknown, data: { readonly year: number }): number => this.rows.size + data.year
}

const functions = {
  add: (_auth: { name: string }, { a, b }: { a: number; b: number }) => a + b,
  time: () => 'noon',
  nested: {
    op: async (_auth: unknown, data: string) => ({ length: data.length }),
    once: { more: { deep: (_auth: unknown, data?: number) => data ?? 0 } },
  },
  later: (_auth, data: number, callback) => void setTimeout(() => callback(null, data)),
  maybe(_auth, data: number, callback) {
    if (data === 0) return undefined
    callback(null, data)
    return undefined
  },
  nothing: async () => {},
} satisfies ServerController

const controller = { ...functions, orders: new Orders() }

declare const socket: TokenSocket<typeof controller>
declare const plain: TokenSocket

// The answer, of a function that returns it, one that resolves it, at depth 1 to 4, and of an instance's.
gives<number>()(socket.rpc('add', { a: 1, b: 2 }))
gives<string>()(socket.rpc('time'))
gives<{ length: number }>()(socket.rpc('nested.op', 'text', { timeout: 10 }))
gives<number>()(socket.rpc('nested.once.more.deep'))
gives<number>()(socket.rpc('nested.once.more.deep', 1))
gives<undefined>()(socket.rpc('nothing'))
gives<number>()(socket.rpc('orders.total', { year: 2026 }))

// A function that answers by its callback answers anything, also one that may answer by returning.
gives<unknown>()(socket.rpc('later', 1))
gives<unknown>()(socket.rpc('maybe', 1))

// A callback gets the same, in the place of options or of data that may be left out.
socket.rpc('add', { a: 1, b: 2 }, (error, sum) => {
  is<RpcError | null>()(error)
  is<number | undefined>()(sum)
})
socket.rpc('time', (_error, time) => is<string | undefined>()(time))

// Every name is known, and no other: neither a branch, nor a private field, nor what objects inherit.
type Names =
  | 'add'
  | 'time'
  | 'nested.op'
  | 'nested.once.more.deep'
  | 'later'
  | 'maybe'
  | 'nothing'
  | 'orders.total'
export type AllNames = Holds<Equal<FunctionNames<typeof controller>, Names>>

// What is sent without an answer takes the same names and data.
gives<void>()(socket.notify('add', { a: 1, b: 2 }))
socket.notify('time', undefined, (error) => is<RpcError | null>()(error))
plain.notify('anything', { data: 1 })

export const wrong = [
  // @ts-expect-error there is no such function
  () => socket.notify('ad', { a: 1, b: 2 }),
  // @ts-expect-error the data is missing
  () => socket.notify('add'),
  // @ts-expect-error a field is of another type
  () => socket.notify('add', { a: 1, b: '2' }),
  // @ts-expect-error there is no such function
  () => socket.rpc('ad', { a: 1, b: 2 }),
  // @ts-expect-error a branch is no function
  () => socket.rpc('nested'),
  // @ts-expect-error nor is what a function inherits
  () => socket.rpc('add.call'),
  // @ts-expect-error a private field is no function of the controller
  () => socket.rpc('orders.rows'),
  // @ts-expect-error the data is missing
  () => socket.rpc('add'),
  // @ts-expect-error a field is missing
  () => socket.rpc('add', { a: 1 }),
  // @ts-expect-error a field is of another type
  () => socket.rpc('add', { a: 1, b: '2' }),
  // @ts-expect-error there is no such option
  () => socket.rpc('nested.op', 'text', { timeOut: 10 }),
  // @ts-expect-error the answer is of another type
  (): Promise<string> => socket.rpc('add', { a: 1, b: 2 }),
]

// Without the type parameter, and for controllers that do not say which functions they have, everything is as it was.
declare const open: TokenSocket<Controller>
declare const anyObject: InstanceType<typeof TokenSocket>
for (const socket of [plain, open, anyObject]) {
  gives<unknown>()(socket.rpc('anything'))
  gives<number>()(socket.rpc<number>('add', { a: 1 }, { timeout: 10 }))
  gives<number>()(socket.rpc('add', { a: 1 }, (_error, sum?: number) => sum))
  gives<number>()(socket.rpc('add', (_error, sum?: number) => sum))
  socket.rpc('add', (error, sum) => [is<RpcError | null>()(error), is<unknown>()(sum)])
  socket.rpc<number>('add', undefined, (_error, sum) => is<number | undefined>()(sum))
}
export function callsOn<T>(socket: TokenSocket, name: string, data: T, unknownData: unknown) {
  return [socket.rpc(name, data), socket.rpc(name, unknownData), socket.rpc(name, null)]
}

// A typed socket goes wherever a socket goes; and is made by `new`, or by giving an untyped one a type.
export function take(socket: TokenSocket): string | undefined {
  return socket.sid
}
take(socket)
export const typed: TokenSocket<typeof controller> = new TokenSocket<typeof controller>({
  host: 'http://localhost',
})

// A controller's type that refers to itself has names, too.
interface Node {
  parent?: Node
  readonly value: (auth: unknown, data: string) => number
}
declare const endless: TokenSocket<{ root: Node }>
gives<number>()(endless.rpc('root.parent.parent.value', 'x'))

// A branch that says nothing of its functions takes any name below it.
declare const partly: TokenSocket<{ known: () => 1; open: ServerController }>
gives<1>()(partly.rpc('known'))
gives<unknown>()(partly.rpc('open.anything', { data: 1 }))
