/** What a client infers from a contract. Nothing here runs: the compiler is the test. */

import type { RpcError, TokenSocket } from '@token-socket/client'
import {
  type CallsClient,
  type ContractClient,
  connect,
  connectCalls,
  safe,
  typed,
  typedCalls,
} from '@token-socket/contract/client'
import { type Equal, gives, type Holds, is } from './equal.js'
import { contract, type Example, type Point } from './example.js'

declare const client: ContractClient<Example>
declare const socket: TokenSocket

// Both ways to a client give the same.
export type FromConnect = Holds<Equal<Awaited<ReturnType<typeof connect<Example>>>, ContractClient<Example>>>
export type FromTyped = Holds<Equal<ReturnType<typeof typed<Example>>, ContractClient<Example>>>
export const connected: Promise<ContractClient<Example>> = connect(contract, { host: 'http://localhost' })
export const over: ContractClient<Example> = typed(socket, contract)

// Without channels, the rest is the same.
export const calls: CallsClient<Example> = typedCalls(socket, contract)
export const callsConnected: Promise<CallsClient<Example>> = connectCalls(contract)
export const isBoth: CallsClient<Example> = client
gives<number>()(calls.time())
// @ts-expect-error it has no channels
calls.channel

// Calls: one-way, without an input, with one that may be left out, of a union, at depth 4, and those of both ends.
gives<undefined>()(client.sayHello({ name: 'Jack' }))
gives<undefined>()(client.wake())
gives<number>()(client.time())
gives<string[]>()(client.search())
gives<string[]>()(client.search({ text: 'x' }))
gives<number | null>()(client.area({ kind: 'circle', radius: 1 }))
gives<'deep'>()(client.a.b.c.deep({ x: 1, y: 2 }))
gives<undefined>()(client.move({ x: 1, y: 2 }))
gives<number>()(client.sum([1, 2]))

// Options go after the input, which may be `undefined` where there is none.
const { signal } = new AbortController()
client.time(undefined, { timeout: 10, signal })
client.a.b.c.deep({ x: 1, y: 2 }, { timeout: 10 })

// Transforms: the caller passes what travels, and gets what the schema makes of the answer.
gives<{ day: string }>()(client.schedule({ at: '2026-01-01' }))
gives<{ order: bigint }>()(client.shop.buy({ item: 'book' }))
gives<number>()(client.shop.price({ item: 'book', currency: 'EUR' }))

export const wrongCalls = [
  // @ts-expect-error the input is missing
  () => client.sayHello(),
  // @ts-expect-error a field is missing
  () => client.sayHello({}),
  // @ts-expect-error a field is of another type
  () => client.sayHello({ name: 1 }),
  // @ts-expect-error there is no such field
  () => client.sayHello({ name: 'Jack', age: 3 }),
  // @ts-expect-error it takes no input
  () => client.time('noon'),
  // @ts-expect-error that is a field of the other kind
  () => client.area({ kind: 'circle', side: 1 }),
  // @ts-expect-error a date is what arrives, not what travels
  () => client.schedule({ at: new Date() }),
  // @ts-expect-error there is no such option
  () => client.time(undefined, { timeOut: 10 }),
  // @ts-expect-error a one-way message waits for no answer
  () => client.sayHello({ name: 'Jack' }, { timeout: 10 }),
  // @ts-expect-error nor does it without an input
  () => client.wake(undefined, { signal }),
  // @ts-expect-error nor does one of both ends
  () => client.move({ x: 1, y: 2 }, {}),
  // @ts-expect-error there is no such operation
  () => client.sayHallo({ name: 'Jack' }),
  // @ts-expect-error nor at depth 4
  () => client.a.b.c.shallow(),
  // @ts-expect-error a branch is no operation
  () => client.a.b.c({ x: 1, y: 2 }),
  // @ts-expect-error the server calls it
  () => client.ask('really?'),
  // @ts-expect-error Valibot: a field is of another type
  () => client.shop.buy({ item: 1 }),
  // @ts-expect-error ArkType: not one of the literals
  () => client.shop.price({ item: 'book', currency: 'GBP' }),
]

// Listeners: for one-way messages of the server and of both ends, at any depth; they get what arrives.
is<() => void>()(client.onSendGreeting((input) => is<{ greeting: Date }>()(input)))
client.news.onFlash((text) => is<string>()(text))
client.onMove((point) => is<Point>()(point))

export const wrongListeners = [
  // @ts-expect-error it is answered: `handle`
  () => client.onAsk(() => true),
  // @ts-expect-error it is answered, too
  () => client.onSum(() => 1),
  // @ts-expect-error clients call it
  () => client.onSayHello(() => {}),
  // @ts-expect-error the listener takes another type
  () => client.onSendGreeting((_input: { greeting: string }) => {}),
]

// What answers the server: any part of the operations that answer, by a value or a promise of what travels.
is<() => void>()(client.handle({}))
client.handle({
  ask(question, { errors, signal, name, deadline }) {
    is<string>()(question)
    is<AbortSignal>()(signal)
    is<string>()(name)
    is<number>()(deadline)
    if (question === '') throw errors.busy({ until: 1 })
    return true
  },
  news: { vote: async () => 'yes' as const },
  sum: (numbers) => numbers.length,
})

export const wrongHandlers = [
  // @ts-expect-error the answer is of another type
  () => client.handle({ ask: () => 'yes' }),
  // @ts-expect-error not one of the literals
  () => client.handle({ news: { vote: async () => 'perhaps' as const } }),
  // @ts-expect-error there is no such operation
  () => client.handle({ asks: () => true }),
  // @ts-expect-error clients call it
  () => client.handle({ time: () => 1 }),
  // @ts-expect-error it has no answer: `onSendGreeting`
  () => client.handle({ sendGreeting: () => {} }),
  // @ts-expect-error the error's data is of another type
  () => client.handle({ ask: (_question, { errors }) => Promise.reject(errors.busy({ until: 'noon' })) }),
  // @ts-expect-error there is no such error
  () => client.handle({ ask: (_question, { errors }) => Promise.reject(errors.lazy()) }),
]

// Declared errors narrow by their code; every other error is the library's.
export async function narrowing() {
  const [error, answer] = await safe(client.shop.buy({ item: 'book' }))
  if (error === null) return is<{ order: bigint }>()(answer)
  is<undefined>()(answer)
  if (error.code === 'sold_out') return is<{ left: number }>()(error.data)
  if (error.code === 'late') return is<{ by: string }>()(error.data)
  if (error.code === 'closed') return is<undefined>()(error.data)
  if (error.code === 'timeout') return is<unknown>()(error.data)
  // @ts-expect-error the operation has no such error
  if (error.code === 'stolen') return error
  return error satisfies RpcError
}

/** An operation without declared errors has the library's only, and another promise, too. */
export async function others() {
  const [error, answer] = await safe(client.time())
  // @ts-expect-error the operation declares no error
  if (error?.code === 'sold_out') return error
  is<number | undefined>()(answer ?? undefined)
  const [, text] = await safe(Promise.resolve('text'))
  return is<string | undefined>()(text)
}

// The members that every client has.
is<() => void>()(client.$withReconnect(async () => client.sayHello({ name: 'Jack' })))
is<() => void>()(client.$onError(({ code, message }) => [is<string>()(code), is<string>()(message)]))
client.$onAnyMessage(({ operation, input }) => [is<string>()(operation), is<unknown>()(input)])
gives<void>()(client.$connect())
gives<void>()(client.$disconnect())

// A client is no promise.
export type NoThen = Holds<Equal<'then' extends keyof ContractClient<Example> ? true : false, false>>
