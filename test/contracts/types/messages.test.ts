/** The likeliest mistakes, and that the first line of the compiler's message says what is wrong. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { Project } from './compiler.js'

const EXAMPLE = readFileSync(new URL('example.ts', import.meta.url), 'utf8')

const HEAD = `
import { TokenSocket } from '@token-socket/client'
import { defineContract, procedure, type } from '@token-socket/contract'
import type { ContractClient } from '@token-socket/contract/client'
import { mockClient, mockServer } from '@token-socket/contract/mock'
import { type Handlers, implement } from '@token-socket/contract/server'
import { contract, type Example } from './example.js'
declare const client: ContractClient<Example>
declare const handlers: Handlers<Example>
const { wake: _wake, ...withoutWake } = handlers
const controller = { add: (_auth: unknown, data: { a: number }) => data.a, nested: { op: () => 1 } }
const socket = new TokenSocket<typeof controller>()
void [defineContract, procedure, type, implement, withoutWake, contract, client, socket, mockClient, mockServer]
`

const MISTAKES: readonly (readonly [mistake: string, code: string, message: string])[] = [
  [
    'an operation that is not there',
    `client.sayHallo({ name: 'Jack' })`,
    `Property 'sayHallo' does not exist on type 'ContractClient<`,
  ],
  [
    'a missing field',
    'client.sayHello({})',
    `Property 'name' is missing in type '{}' but required in type '{ name: string; }'`,
  ],
  [
    'a field of another type',
    'client.sayHello({ name: 1 })',
    `Type 'number' is not assignable to type 'string'`,
  ],
  ['a missing input', 'client.sayHello()', 'Expected 1 arguments, but got 0'],
  [
    'an input where there is none',
    `client.time('noon')`,
    `Argument of type '"noon"' is not assignable to parameter of type 'undefined'`,
  ],
  ['a missing handler', 'implement(contract, withoutWake)', `Property 'wake' is missing in type`],
  [
    'a handler too many',
    'implement(contract, { ...handlers, sleep: () => {} })',
    `Object literal may only specify known properties, and 'sleep' does not exist in type`,
  ],
  [
    'an answer of another type',
    `implement(contract, { ...handlers, time: () => 'noon' })`,
    `Type 'string' is not assignable to type 'number | Promise<number>'`,
  ],
  [
    'a listener of what is to be answered',
    'client.onAsk(() => true)',
    `Property 'onAsk' does not exist on type 'ContractClient<`,
  ],
  [
    'a function that would answer a one-way message',
    'client.handle({ sendGreeting: () => {} })',
    `is not assignable to type '"one-way messages have no answer: listen with onSendGreeting"'`,
  ],
  [
    'one of both ends that would answer a one-way message',
    'client.handle({ move: () => {} })',
    `is not assignable to type '"one-way messages have no answer: listen with onMove"'`,
  ],
  [
    'a mock client’s function of a one-way message, in a branch',
    'mockClient(contract, { handlers: { news: { flash: () => {} } } })',
    `is not assignable to type '"one-way messages have no answer: listen with onFlash"'`,
  ],
  [
    'an error of an operation that a mock has not',
    `mockServer(contract, { errors: { 'shop.by': 'sold_out' } })`,
    `Object literal may only specify known properties, and ''shop.by'' does not exist in type`,
  ],
  [
    'an error of an operation that is the other end’s',
    `mockClient(contract, { errors: { sayHello: 'forbidden' } })`,
    `'sayHello' does not exist in type`,
  ],
  [
    'errors of a one-way message',
    'procedure({ input: type<string>(), errors: { gone: type<string>() } })',
    `"errors need an output: a one-way message is not answered"`,
  ],
  [
    'a missing parameter of a channel',
    `client.channel('room-{id}', {})`,
    `Property 'id' is missing in type '{}' but required in type 'ChannelParameters<"room-{id}">'`,
  ],
  [
    'a channel’s name in place of its pattern',
    `client.channel('room-7', { id: 7 })`,
    `Argument of type '"room-7"' is not assignable to parameter of type '"news" | "room-{id}" | "tenant-{tenant}-room-{room}"'`,
  ],
  [
    'an event that is not there',
    `client.channel('room-{id}', { id: 7 }).send('shout', 'hi')`,
    `Argument of type '"shout"' is not assignable to parameter of type '"clear" | "say"'`,
  ],
  [
    'an error that is not declared',
    `implement(contract, { ...handlers, shop: { ...handlers.shop, buy: (_, { errors }) => { throw errors.stolen() } } })`,
    `Property 'stolen' does not exist on type 'ErrorFactories<`,
  ],
  [
    'a definition that is no procedure',
    'defineContract({ server: { say: { input: type<string>() } } })',
    `is not assignable to type 'Operations | Procedure<ProcedureDefinition>'`,
  ],
  [
    'a misspelt field of a procedure',
    'procedure({ inputs: type<string>() })',
    `'inputs' does not exist in type 'ProcedureDefinition'. Did you mean to write 'input'?`,
  ],
  [
    'a misspelt part of a contract',
    'defineContract({ servers: {} })',
    `'servers' does not exist in type 'ContractDefinition'. Did you mean to write 'server'?`,
  ],
  [
    'events of a channel that are not in `events`',
    `defineContract({ channels: { news: { headline: type<string>() } } })`,
    `'headline' does not exist in type 'ChannelDefinition'`,
  ],
  [
    'a function that the controller has not',
    `socket.rpc('ad', { a: 1 })`,
    `Argument of type '"ad"' is not assignable to parameter of type '"add" | "nested.op"'`,
  ],
  [
    'data of another type',
    `socket.rpc('add', { a: '1' })`,
    `Type 'string' is not assignable to type 'number'`,
  ],
  ['missing data', `socket.rpc('add')`, 'Expected 2-3 arguments, but got 1'],
]

describe('the compiler’s message', function () {
  this.timeout(60_000)
  const messages = new Map<number, string>()
  const first = HEAD.split('\n').length

  before(() => {
    const project = new Project()
    const lines = MISTAKES.map(([, code], index) => `export const mistake${index} = () => ${code}`)
    const output = project.compile({ 'example.ts': EXAMPLE, 'mistakes.ts': `${HEAD}${lines.join('\n')}\n` })
    for (const [, line, message = ''] of output.matchAll(/mistakes\.ts\((\d+),\d+\): error TS\d+: (.*)/g))
      if (!messages.has(Number(line))) messages.set(Number(line), message)
    project.delete()
  })

  for (const [index, [mistake, , message]] of MISTAKES.entries())
    it(`of ${mistake} says so`, () => expect(messages.get(first + index)).to.include(message))

  it('is there for these mistakes only', () => {
    expect([...messages.keys()]).to.deep.equal(MISTAKES.map((_, index) => first + index))
  })
})
