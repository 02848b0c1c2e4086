import { INPUT, OUTPUT, TYPE_ERROR, treeOf, ZOD_ERROR, ZOD_INPUT, ZOD_OUTPUT } from './operations.js'

/**
 * The files of one library: the contract, a file that imports it and does nothing else, and one that implements all of its
 * operations and calls a third of them.
 * @typedef {object} Program
 * @property {string} contract
 * @property {string} alone
 * @property {string} used
 */

/** @typedef {import('./operations.js').Operation} Operation */

const ANSWER = `({ id: input.id, label: input.name + input.tags.length })`

/** The calls of a client; what they answer has to be of the right type. */
function callsOf(operations, call) {
  return operations
    .filter(({ isCalled }) => isCalled)
    .map((operation, index) => {
      const asked = `await ${call(operation.path.join('.'))}({ id: ${index}, name: 'x', tags: ['y'] })`
      return operation.isOneWay ? asked : `numbers.push((${asked}).id)`
    })
    .join('\n')
}

function callerOf(operations, call) {
  return `export async function callAll(): Promise<readonly number[]> {
const numbers: number[] = []
${callsOf(operations, call)}
return numbers
}
`
}

/** @type {Record<string, (operations: readonly Operation[]) => Program>} */
export const dialects = {
  'token-socket': (operations) => ({
    contract: `import { defineContract, procedure, type } from '@token-socket/contract'
import { z } from 'zod'
export const contract = defineContract({ server: ${treeOf(operations, { leaf: tokenSocketLeaf })} })
`,
    alone: `import { contract } from './contract.js'
export const used = contract
`,
    used: `import { connect } from '@token-socket/contract/client'
import { implement } from '@token-socket/contract/server'
import { contract } from './contract.js'
export const controller = implement(contract, ${treeOf(operations, {
      leaf: (operation) =>
        operation.isOneWay ? '(input) => { input.tags.push(input.name) }' : `(input) => ${ANSWER}`,
    })})
const client = await connect(contract, { host: 'http://localhost' })
${callerOf(operations, (path) => `client.${path}`)}`,
  }),

  trpc: (operations) => ({
    // tRPC's contract is the server's router: its functions are in it.
    contract: `import { initTRPC } from '@trpc/server'
import { z } from 'zod'
const t = initTRPC.create()
const as = <T>() => (value: unknown): T => value as T
export const router = ${treeOf(operations, { leaf: trpcLeaf, branch: (body) => `t.router({ ${body} })` })}
`,
    alone: `import type { router } from './contract.js'
export type Used = typeof router
`,
    used: `import { createTRPCClient, httpLink } from '@trpc/client'
import type { router } from './contract.js'
const client = createTRPCClient<typeof router>({ links: [httpLink({ url: 'http://localhost' })] })
${callerOf(operations, (path) => `client.${path}.mutate`)}`,
  }),

  orpc: (operations) => ({
    contract: `import { oc, type } from '@orpc/contract'
import { z } from 'zod'
export const contract = ${treeOf(operations, { leaf: orpcLeaf })}
`,
    alone: `import { contract } from './contract.js'
export const used = contract
`,
    used: `import { createORPCClient } from '@orpc/client'
import type { ClientLink } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import { implement } from '@orpc/server'
import { contract } from './contract.js'
const os = implement(contract)
export const router = os.router(${treeOf(operations, {
      leaf: ({ path, isOneWay }) =>
        `os.${path.join('.')}.handler(({ input }) => ${isOneWay ? '{ input.tags.push(input.name) }' : ANSWER})`,
    })})
declare const link: ClientLink<Record<never, never>>
const client: ContractRouterClient<typeof contract> = createORPCClient(link)
${callerOf(operations, (path) => `client.${path}`)}`,
  }),
}

function tokenSocketLeaf({ isChecked, isOneWay, hasErrors }) {
  const fields = [`input: ${isChecked ? ZOD_INPUT : `type<${INPUT}>()`}`]
  if (!isOneWay) fields.push(`output: ${isChecked ? ZOD_OUTPUT : `type<${OUTPUT}>()`}`)
  if (hasErrors) fields.push(`errors: { sold_out: ${isChecked ? ZOD_ERROR : `type<${TYPE_ERROR}>()`} }`)
  return `procedure({ ${fields.join(', ')} })`
}

function trpcLeaf({ isChecked, isOneWay }) {
  const input = `.input(${isChecked ? ZOD_INPUT : `as<${INPUT}>()`})`
  if (isOneWay) return `t.procedure${input}.mutation(({ input }) => { input.tags.push(input.name) })`
  const output = `.output(${isChecked ? ZOD_OUTPUT : `as<${OUTPUT}>()`})`
  return `t.procedure${input}${output}.mutation(({ input }) => ${ANSWER})`
}

function orpcLeaf({ isChecked, isOneWay, hasErrors }) {
  const input = `.input(${isChecked ? ZOD_INPUT : `type<${INPUT}>()`})`
  const output = isOneWay ? '' : `.output(${isChecked ? ZOD_OUTPUT : `type<${OUTPUT}>()`})`
  const data = isChecked ? ZOD_ERROR : `type<${TYPE_ERROR}>()`
  return `oc${hasErrors ? `.errors({ sold_out: { data: ${data} } })` : ''}${input}${output}`
}
