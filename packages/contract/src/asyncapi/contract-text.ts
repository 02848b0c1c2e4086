import type { ModelChannel, ModelContract, ModelOperation } from './model-contract.js'
import type { ModelSchemas, Payload } from './model-schemas.js'
import { type Item, keyText, literal, print, printComment, type Source, stringText } from './source-text.js'

const CHECKED = `
/** A schema that checks what its type says. \`uses\` names the schemas to which it refers. */
function checked<Name extends keyof Payloads>(
  name: Name,
  ...uses: readonly (keyof Payloads)[]
): Schema<Payloads[Name]> {
  return jsonSchema({ ...referenceTo(name), definitions: definitionsOf([name, ...uses]) })
}
`

const OPTIONAL = `
/** The same for what may be left out. */
function optional<Name extends keyof Payloads>(
  name: Name,
  ...uses: readonly (keyof Payloads)[]
): Schema<Payloads[Name] | undefined> {
  const schema = { ...referenceTo(name), definitions: definitionsOf([name, ...uses]) }
  return jsonSchema(schema, { optional: true })
}
`

const ONE_OF = `
/** A schema that checks that a value is one of several. */
function oneOf<Names extends readonly (keyof Payloads)[]>(
  names: Names,
  ...uses: readonly (keyof Payloads)[]
): Schema<Payloads[Names[number]]> {
  return jsonSchema({ anyOf: names.map(referenceTo), definitions: definitionsOf([...names, ...uses]) })
}
`

const COMMON = `
function referenceTo(name: keyof Payloads): { readonly $ref: string } {
  return { $ref: \`#/definitions/\${name}\` }
}

function definitionsOf(names: readonly (keyof Payloads)[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(names.map((name) => [name, schemas[name]]))
}
`

/**
 * Writes the text of `contract.ts`. Every text of the model in it is quoted, or in a comment that
 * it can't end.
 */
export class ContractText {
  readonly #schemas: ModelSchemas
  readonly #used = new Set<string>()

  constructor(schemas: ModelSchemas) {
    this.#schemas = schemas
  }

  /** @param types the types of the schemas */
  write(contract: ModelContract, types: string): string {
    const body = `export const contract = ${print(this.#definition(contract))}\n`
    const from = contract.title === '' ? 'a model' : stringText(contract.title)
    const banner = `Generated from ${from} by token-socket. Change the model, and generate it again.`
    const hasSchemas = this.#schemas.definitions.size > 0
    const parts = [printComment(banner, ''), this.#imports(hasSchemas, contract)]
    if (hasSchemas) parts.push(`\n${types.trim()}\n`, `\n${this.#schemaTable()}`, this.#functions())
    return `${parts.join('')}\n${body}`
  }

  #imports(hasSchemas: boolean, { operations }: ModelContract): string {
    const names = ['defineContract']
    if (operations.length > 0) names.push('procedure')
    if (hasSchemas) names.push('type Schema')
    if (this.#used.has('type')) names.push('type')
    const maker = hasSchemas ? "import { jsonSchema } from '@token-socket/contract/json-schema'\n" : ''
    return `import { ${names.join(', ')} } from '@token-socket/contract'\n${maker}`
  }

  #schemaTable(): string {
    const items = [...this.#schemas.definitions].map(([name, { schema }]) => ({
      text: `${name}: `,
      value: literal(schema),
    }))
    const table = print({ open: '{', close: '}', items })
    return `const schemas: { readonly [Name in keyof Payloads]: unknown } = ${table}\n`
  }

  #functions(): string {
    const texts = { checked: CHECKED, optional: OPTIONAL, oneOf: ONE_OF }
    const used = Object.entries(texts).filter(([name]) => this.#used.has(name))
    return [...used.map(([, text]) => text), COMMON].join('')
  }

  #definition({ operations, channels }: ModelContract): Source {
    const items: Item[] = []
    for (const kind of ['server', 'client', 'both'] as const) {
      const own = operations.filter((operation) => operation.kind === kind)
      if (own.length > 0) items.push({ text: `${kind}: `, value: this.#tree(own, 0) })
    }
    if (channels.length > 0) items.push({ text: 'channels: ', value: this.#channelTable(channels) })
    return { open: 'defineContract({', close: '})', items }
  }

  /** The operations that share the first parts of their names, as nested objects. */
  #tree(operations: readonly ModelOperation[], depth: number): Source {
    const branches = new Map<string, ModelOperation[]>()
    for (const operation of operations) {
      const part = operation.name.split('.')[depth] ?? ''
      branches.set(part, [...(branches.get(part) ?? []), operation])
    }
    const items = [...branches].map(([part, own]): Item => {
      const leaf = own.find(({ name }) => name.split('.').length === depth + 1)
      if (!leaf) return { text: `${keyText(part)}: `, value: this.#tree(own, depth + 1) }
      return { comment: leaf.description, text: `${keyText(part)}: `, value: this.#procedure(leaf) }
    })
    return { open: '{ ', close: ' }', items }
  }

  #procedure({ input, output, errors }: ModelOperation): Source {
    const items: Item[] = []
    if (input) items.push({ text: 'input: ', value: this.#schema(input) })
    if (output) items.push({ text: 'output: ', value: this.#output(output) })
    if (errors.length > 0) items.push({ text: 'errors: ', value: this.#table(errors) })
    if (items.length === 0) return 'procedure()'
    return { open: 'procedure({ ', close: ' })', items }
  }

  #output(outputs: readonly (Payload | null)[]): Source {
    const payloads = outputs.filter((output) => output !== null)
    if (outputs.length === 1 || payloads.length !== outputs.length) return this.#schema(payloads[0] ?? null)
    this.#used.add('oneOf')
    const types = [...new Set(payloads.map(({ type }) => type))]
    const uses = new Set(types.flatMap((type) => this.#schemas.usedBy(type)))
    const others = [...uses].filter((type) => !types.includes(type)).sort()
    return `oneOf([${types.map(stringText).join(', ')}]${others.map((type) => `, ${stringText(type)}`).join('')})`
  }

  #channelTable(channels: readonly ModelChannel[]): Source {
    const items = channels.map(({ pattern, events, presence, description }): Item => {
      const parts: Item[] = [{ text: 'events: ', value: this.#table(events) }]
      if (presence) parts.push({ text: 'presence: ', value: this.#schema(presence) })
      return {
        comment: description,
        text: `${keyText(pattern)}: `,
        value: { open: '{ ', close: ' }', items: parts },
      }
    })
    return { open: '{ ', close: ' }', items }
  }

  #table(payloads: readonly (readonly [name: string, payload: Payload | null])[]): Source {
    const items = payloads.map(([name, payload]) => ({
      text: `${keyText(name)}: `,
      value: this.#schema(payload),
    }))
    return { open: '{ ', close: ' }', items }
  }

  #schema(payload: Payload | null): Source {
    const name = payload ? (payload.optional ? 'optional' : 'checked') : 'type'
    this.#used.add(name)
    if (!payload) return 'type<undefined>()'
    const names = [payload.type, ...this.#schemas.usedBy(payload.type)]
    const items = names.map((one) => ({ text: '', value: stringText(one) }))
    return { open: `${name}(`, close: ')', items }
  }
}
