import { badOption } from '@token-socket/protocol'
import type { ChannelDefinition } from '../channel-definitions.js'
import type { Contract } from '../contract.js'
import { checkGiven } from '../given-contract.js'
import { type Operation, operationsOf } from '../operations.js'
import {
  type AsyncApiChannel,
  type AsyncApiDocument,
  type AsyncApiMessage,
  type AsyncApiOperation,
  EXTENSION,
  type JsonObject,
  type MessageNotes,
  type Reference,
  UniqueNames,
} from './document.js'
import type { SchemaConverter } from './json-schema.js'
import { SchemaComponents } from './schema-components.js'

/** What a document says about itself, and how it is made. */
export interface AsyncApiOptions {
  /** The title of the API. */
  readonly title: string
  /** The version of the API, such as `1.0.0`. */
  readonly version: string
  /** What the API is for. @default none */
  readonly description?: string | undefined
  /** Where clients connect, such as `wss://example.com/sockets`. @default no server is named */
  readonly url?: string | undefined
  /**
   * Functions that give schemas of other libraries a JSON Schema, by the library's `vendor`:
   * `{ valibot: toStandardJsonSchema }`. @default {}
   */
  readonly converters?: { readonly [vendor: string]: SchemaConverter } | undefined
  /** Receives a sentence for each payload that is left open. @default `console.warn` */
  readonly onWarning?: ((text: string) => void) | undefined
}

/**
 * Makes an AsyncAPI 3.0 document of a contract. The same contract gives the same document.
 *
 * Payloads are described by Standard JSON Schema, as they travel: the input side of each schema. A
 * schema that can't be described leaves its payload open, and `onWarning` receives the operation's
 * name and the reason.
 *
 * @throws RpcError `bad_option` for what is no contract, without `title` or `version`, or for a
 *   `url` that is not one of `ws`, `wss`, `http` or `https`
 * @example
 * const document = toAsyncApi(contract, { title: 'Shop', version: '1.0.0' })
 * await writeFile('asyncapi.json', JSON.stringify(document, null, 2))
 */
export function toAsyncApi(contract: Contract, options: AsyncApiOptions): AsyncApiDocument {
  checkGiven(contract)
  if (typeof options !== 'object' || options === null) throw badOption('title', 'a text')
  const { title, version, description, url, converters = {}, onWarning = console.warn } = options
  for (const [field, value] of Object.entries({ title, version })) {
    if (typeof value !== 'string' || value === '') throw badOption(field, 'a text')
  }
  const writer = new DocumentWriter(new SchemaComponents({ converters, onWarning }))
  writer.addContract(contract)
  return {
    asyncapi: '3.0.0',
    info: { title, version, ...(description !== undefined && { description }) },
    ...(url !== undefined && { servers: { default: serverOf(url) } }),
    defaultContentType: 'application/json',
    ...writer.parts,
  }
}

const EMPTY_URL = { protocol: '', host: '', pathname: '' }

function serverOf(url: string): JsonObject {
  const { protocol, host, pathname } = URL.canParse(url) ? new URL(url) : EMPTY_URL
  if (!/^(ws|http)s?:$/.test(protocol)) throw badOption('url', 'an address such as wss://example.com/sockets')
  return { host, protocol: protocol.replace(/^http/, 'ws').slice(0, -1), pathname }
}

class DocumentWriter {
  readonly #schemas: SchemaComponents
  readonly #channels = new Map<string, AsyncApiChannel>()
  readonly #operations = new Map<string, AsyncApiOperation>()
  readonly #channelIds = new UniqueNames()
  readonly #operationIds = new UniqueNames()

  constructor(schemas: SchemaComponents) {
    this.#schemas = schemas
  }

  get parts(): Pick<AsyncApiDocument, 'channels' | 'operations' | 'components'> {
    return {
      channels: Object.fromEntries(this.#channels),
      operations: Object.fromEntries(this.#operations),
      components: { schemas: this.#schemas.all },
    }
  }

  addContract({ definition }: Contract): void {
    for (const kind of ['server', 'client', 'both'] as const) {
      for (const operation of operationsOf(definition[kind])) this.#addOperation(operation, kind)
    }
    for (const [pattern, channel] of Object.entries(definition.channels ?? {})) {
      this.#addChannel(pattern, channel)
    }
  }

  #addOperation(operation: Operation, kind: 'server' | 'client' | 'both'): void {
    const { name } = operation
    const { input, output, errors } = this.#operationMessages(operation)
    const messages = { ...input, ...output, ...errors }
    const id = this.#addMessages(name, { kind: 'operation', messages })
    const answers = [...Object.keys(output), ...Object.keys(errors)]
    const common = {
      channel: channelRef(id),
      messages: messageRefs(id, Object.keys(input)),
      ...(answers.length > 0 && { reply: { channel: channelRef(id), messages: messageRefs(id, answers) } }),
      [EXTENSION]: { kind, name },
    }
    // The server is the application that the document describes.
    if (kind !== 'client')
      this.#operations.set(this.#operationIds.take(name), { action: 'receive', ...common })
    if (kind === 'server') return
    const sent = kind === 'both' ? `${name}.send` : name
    this.#operations.set(this.#operationIds.take(sent), { action: 'send', ...common })
  }

  #operationMessages({ name, procedure }: Operation) {
    const { input, output, errors = {} } = procedure['~procedure']
    const use = (part: string) => ({ name: `${name}.${part}`, subject: `${name} (${part})` })
    const ids = new UniqueNames()
    return {
      input: { input: this.#schemas.message(input, use('input')) },
      output: output ? { output: this.#schemas.message(output, use('output')) } : {},
      errors: Object.fromEntries(
        Object.entries(errors).map(([error, schema]) => {
          const message = this.#schemas.message(schema, use(`errors.${error}`))
          return [ids.take(`errors.${idOf(error)}`), withNotes(message, { error })] as const
        }),
      ),
    }
  }

  #addChannel(pattern: string, { events, presence }: ChannelDefinition): void {
    const ids = new UniqueNames()
    const use = (part: string) => ({
      name: `channel.${idOf(pattern)}.${part}`,
      subject: `channel ${pattern} (${part})`,
    })
    const entries = Object.entries(events).map(([event, schema]) => {
      const message = this.#schemas.message(schema, use(event))
      return [ids.take(idOf(event)), withNotes(message, { event })] as const
    })
    const messages: Record<string, AsyncApiMessage> = Object.fromEntries(entries)
    const published = Object.keys(messages)
    if (presence) {
      const message = this.#schemas.message(presence, use('presence'))
      messages[ids.take('presence')] = withNotes(message, { presence: true })
    }
    const id = this.#addMessages(pattern, { kind: 'channel', messages })
    if (published.length > 0) this.#addPublications(id, published)
  }

  /** Clients publish on a channel, and the server delivers to its subscribers. */
  #addPublications(id: string, events: readonly string[]): void {
    const common = { channel: channelRef(id), messages: messageRefs(id, events) }
    for (const [kind, action] of [
      ['publish', 'receive'],
      ['deliver', 'send'],
    ] as const) {
      const operation = { action, ...common, [EXTENSION]: { kind } }
      this.#operations.set(this.#operationIds.take(`${id}.${kind}`), operation)
    }
  }

  #addMessages(
    address: string,
    { kind, messages }: { kind: 'operation' | 'channel'; messages: { [id: string]: AsyncApiMessage } },
  ): string {
    const id = this.#channelIds.take(kind === 'operation' ? address : `channel.${idOf(address)}`)
    const names = [...address.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => [name, {}] as const)
    const parameters = kind === 'channel' && names.length > 0 && { parameters: Object.fromEntries(names) }
    this.#channels.set(id, { address, ...parameters, messages, [EXTENSION]: { kind } })
    return id
  }
}

/** Identifiers of the document are free of the characters that mean something in references. */
function idOf(name: string): string {
  return name.replace(/[^\w.]+/g, '-').replace(/^-+|-+$/g, '') || 'unnamed'
}

function withNotes(message: AsyncApiMessage, notes: MessageNotes): AsyncApiMessage {
  return { ...message, [EXTENSION]: { ...message[EXTENSION], ...notes } }
}

function channelRef(id: string): Reference {
  return { $ref: `#/channels/${id}` }
}

function messageRefs(id: string, messages: readonly string[]): readonly Reference[] {
  return messages.map((message) => ({ $ref: `#/channels/${id}/messages/${message}` }))
}
