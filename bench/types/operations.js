/**
 * An operation of the generated contract, in words that every library's dialect can write down.
 * @typedef {object} Operation
 * @property {readonly string[]} path four names
 * @property {boolean} isChecked its schemas are Zod's; otherwise they are types without a check
 * @property {boolean} isOneWay it has no output
 * @property {boolean} hasErrors it declares an error
 * @property {boolean} isCalled the client calls it
 */

/** The fields of every input and output, as a type and as a Zod schema. */
export const INPUT = '{ id: number; name: string; tags: string[] }'
export const OUTPUT = '{ id: number; label: string; at?: string | undefined }'
export const ZOD_INPUT = 'z.object({ id: z.number(), name: z.string(), tags: z.array(z.string()) })'
export const ZOD_OUTPUT = 'z.object({ id: z.number(), label: z.string(), at: z.string().optional() })'
export const TYPE_ERROR = '{ left: number }'
export const ZOD_ERROR = 'z.object({ left: z.number() })'

/**
 * @param {number} count
 * @returns {readonly Operation[]} nested four deep, 20 in a group; every third is called
 */
export function operationsOf(count) {
  return Array.from({ length: count }, (_, index) => {
    const group = Math.floor(index / 20)
    const topic = Math.floor(group / 6)
    const path = [`area${Math.floor(topic / 5)}`, `topic${topic % 5}`, `group${group % 6}`, `op${index % 20}`]
    const isOneWay = index % 7 === 3
    return {
      path,
      isChecked: index % 2 === 0,
      isOneWay,
      hasErrors: index % 5 === 0 && !isOneWay,
      isCalled: index % 3 === 0,
    }
  })
}

/**
 * Writes the operations as a nested object literal.
 * @param {readonly Operation[]} operations
 * @param {{ leaf: (operation: Operation) => string, branch?: (body: string) => string }} dialect
 */
export function treeOf(operations, { leaf, branch = (body) => `{ ${body} }` }, depth = 0) {
  /** @type {Map<string, Operation[]>} */
  const byName = new Map()
  for (const operation of operations) {
    const name = operation.path[depth] ?? ''
    const listed = byName.get(name)
    if (listed) listed.push(operation)
    else byName.set(name, [operation])
  }
  const lines = [...byName].map(([name, [first, ...rest]]) => {
    const isLeaf = first.path.length === depth + 1
    return `${name}: ${isLeaf ? leaf(first) : treeOf([first, ...rest], { leaf, branch }, depth + 1)},\n`
  })
  return branch(lines.join(''))
}
