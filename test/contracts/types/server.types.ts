/** What a server infers from a contract. Nothing here runs: the compiler is the test. */

import { type Handlers, implement } from '@token-socket/contract/server'
import type { ServerController, ServerSocket, SocketAuth } from '@token-socket/server'
import { type Equal, gives, type Holds, is } from './equal.js'
import { contract, type Example, type Point } from './example.js'

// Handlers get what arrives, and return what travels, or a promise of it.
const handlers: Handlers<Example> = {
  sayHello(input, { auth, socket, client, signal, deadline, name }) {
    is<{ name: string }>()(input)
    is<SocketAuth>()(auth)
    is<ServerSocket>()(socket)
    is<AbortSignal>()(signal)
    is<number>()(deadline)
    is<string>()(name)
    // The caller's own operations, typed: what travels goes in, what arrives comes out.
    gives<undefined>()(client.sendGreeting({ greeting: '2026-01-01' }))
    gives<boolean>()(client.ask('really?', { timeout: 10 }))
    // @ts-expect-error a one-way message waits for no answer
    client.news.flash('hi', { timeout: 10 })
    gives<'yes' | 'no'>()(client.news.vote())
    gives<undefined>()(client.move({ x: 1, y: 2 }))
    // @ts-expect-error the server answers it itself
    client.time()
  },
  wake: (input) => void is<undefined>()(input),
  time: (input) => is<undefined>()(input) ?? Date.now(),
  search: async (input) => [is<{ text: string } | undefined>()(input)?.text ?? ''],
  area(shape) {
    if (shape.kind === 'circle') return is<number>()(shape.radius)
    return shape.side > 0 ? shape.side ** 2 : null
  },
  schedule(input) {
    is<{ at: Date; zone: string }>()(input)
    return { day: 7 }
  },
  a: { b: { c: { deep: (point) => (is<Point>()(point).x > 0 ? 'deep' : Promise.resolve('deep')) } } },
  shop: {
    buy(input, { errors }) {
      is<{ item: string; count?: number | undefined }>()(input)
      if (input.item === '') throw errors.sold_out({ left: 0 })
      if (input.item === 'x') throw errors.closed()
      if (input.item === 'y') throw errors.late({ by: 'noon' }, 'Too late')
      return { order: 1 }
    },
    price: (input) => is<'EUR' | 'USD' | undefined>()(input.currency)?.length ?? 0,
  },
  move: (point) => void is<Point>()(point),
  sum: (numbers) => is<readonly number[]>()(numbers).length,
}

export const controller: ServerController = implement(contract, handlers, {
  use: [
    async (call, next) => {
      is<unknown>()(call.input)
      gives<boolean>()(call.client.ask('really?'))
      return next()
    },
  ],
})

// Written in place, handlers have the same types.
export const inPlace = () =>
  implement(contract, {
    ...handlers,
    a: { b: { c: { deep: ({ x }) => (is<number>()(x) ? 'deep' : 'deep') } } },
  })

const { wake: _wake, ...withoutWake } = handlers
const { price: _price, ...withoutPrice } = handlers.shop

export const wrong = [
  // @ts-expect-error a handler is missing
  () => implement(contract, withoutWake),
  // @ts-expect-error a handler of a branch is missing
  () => implement(contract, { ...handlers, shop: withoutPrice }),
  // @ts-expect-error a branch is missing
  () => implement(contract, { ...handlers, shop: undefined }),
  // @ts-expect-error there is no such operation
  () => implement(contract, { ...handlers, sleep: () => {} }),
  // @ts-expect-error nor at depth 4
  () => implement(contract, { ...handlers, a: { b: { c: { ...handlers.a.b.c, shallow: () => {} } } } }),
  // @ts-expect-error the answer is of another type
  () => implement(contract, { ...handlers, time: () => 'noon' }),
  // @ts-expect-error so is that of a promise
  () => implement(contract, { ...handlers, time: async () => 'noon' }),
  // @ts-expect-error it does not answer
  () => implement(contract, { ...handlers, time: () => {} }),
  // @ts-expect-error what is returned travels: it is not transformed yet
  () => implement(contract, { ...handlers, schedule: () => ({ day: '7' }) }),
  // @ts-expect-error it takes an input of another type
  () => implement(contract, { ...handlers, sum: (numbers: string[]) => numbers.length }),
  // @ts-expect-error there is no such error
  () => implement(contract, { ...handlers, shop: { ...handlers.shop, buy: (_, c) => c.errors.stolen() } }),
  // @ts-expect-error a handler is a function
  () => implement(contract, { ...handlers, time: 7 }),
  // @ts-expect-error there is no such option
  () => implement(contract, handlers, { uses: [] }),
]

// The names of the handlers are the operations that clients call, and those of both.
type Names = 'sayHello' | 'wake' | 'time' | 'search' | 'area' | 'schedule' | 'a' | 'shop' | 'move' | 'sum'
export type AllNames = Holds<Equal<keyof Handlers<Example>, Names>>
