import { asciiText, hasOtherLetters } from './ascii-text.js'
import { EXTENSION, isObject, type JsonObject } from './document.js'
import { quote } from './json-text.js'
import type { Model, Place } from './model.js'
import { ModelError } from './model-error.js'
import type { ModelSchemas, Payload } from './model-schemas.js'

/** What a document says of a channel or an operation, for comments. */
export interface Described {
  readonly description: string | undefined
  readonly pointer: string
}

/**
 * An operation of a model. Parts that are `undefined` are not there, a payload that is `null`
 * carries nothing.
 */
export interface ModelOperation extends Described {
  readonly name: string
  readonly kind: 'server' | 'client' | 'both'
  readonly input: Payload | null
  readonly output: readonly (Payload | null)[] | undefined
  readonly errors: readonly (readonly [code: string, data: Payload | null])[]
}

/** A channel of a model. */
export interface ModelChannel extends Described {
  readonly pattern: string
  readonly events: readonly (readonly [event: string, payload: Payload | null])[]
  readonly presence: Payload | undefined
}

/** The operations and channels of a model. */
export interface ModelContract {
  readonly title: string
  readonly operations: readonly ModelOperation[]
  readonly channels: readonly ModelChannel[]
}

type Message = Place & { readonly key: string }

/** The formats of schemas that are read: those of AsyncAPI and JSON Schema. */
const FORMATS = /^application\/(vnd\.aai\.asyncapi|schema)([+;]|$)/

/** Reads the operations and channels of an AsyncAPI 3 document. */
export class ContractReader {
  readonly #model: Model
  readonly #schemas: ModelSchemas
  readonly #onWarning: (text: string) => void
  readonly #operations = new Map<string, ModelOperation>()
  readonly #channels = new Map<string, Place>()
  /** The pointers of channels whose messages an operation has. */
  readonly #used = new Set<string>()

  constructor(model: Model, schemas: ModelSchemas, onWarning: (text: string) => void) {
    this.#model = model
    this.#schemas = schemas
    this.#onWarning = onWarning
  }

  /** @throws ModelError for another version than 3, and for what is missing or clashes */
  read(): ModelContract {
    const { root } = this.#model
    checkVersion(root.value.asyncapi)
    for (const channel of this.#model.children(root, 'channels')) {
      if (isOfContract(channel)) this.#addChannel(channel)
    }
    for (const operation of this.#model.children(root, 'operations'))
      this.#addOperation(operation, operation.key)
    this.#warnOfUnused()
    const channels = [...this.#channels].map(([pattern, channel]) => this.#readChannel(pattern, channel))
    const info = this.#model.optionalChild(root, 'info')?.value ?? {}
    const title = [info.title, info.version].filter((text) => typeof text === 'string').join(' ')
    return { title, operations: [...this.#operations.values()], channels }
  }

  /** Who sends the messages of a channel is what operations say. */
  #warnOfUnused(): void {
    for (const channel of this.#model.children(this.#model.root, 'channels')) {
      if (this.#used.has(channel.pointer) || isOfContract(channel)) continue
      if (Object.keys(Object(channel.value.messages)).length > 0)
        this.#onWarning(`${channel.pointer}: no operation has its messages; they are left out`)
    }
  }

  #addOperation(operation: Place, id: string): void {
    const { value, pointer } = operation
    const { action } = value
    if (action !== 'send' && action !== 'receive')
      throw new ModelError(pointer, 'its action has to be send or receive')
    const channel = this.#model.child(operation, 'channel')
    if (isOfContract(channel)) return this.#addChannel(channel)
    const notes = notesOf(value)
    const direction = action === 'receive' ? 'server' : 'client'
    const kind = notes.kind === 'both' ? 'both' : direction
    const inputs = this.#messages(operation, channel)
    const given = typeof notes.name === 'string' ? notes.name : id
    // A channel with several messages is a connection of its own: each message is an operation.
    if (inputs.length > 1 && !Object.hasOwn(value, 'reply')) {
      for (const message of inputs)
        this.#define(operation, { name: `${given}.${message.key}`, kind, message })
      return
    }
    for (const message of inputs.slice(0, 1)) {
      if (inputs.length > 1) throw new ModelError(pointer, 'it has a reply, and more than one message')
      this.#define(operation, { name: given, kind, message })
    }
  }

  #define(
    operation: Place,
    found: { readonly name: string; readonly kind: ModelOperation['kind']; readonly message: Message },
  ): void {
    const { kind, message } = found
    const { value, pointer } = operation
    const name = this.#operationName(found.name, pointer)
    const before = this.#operations.get(`${kind} ${name}`)
    // Both ends send it: the document has it once for each.
    if (before && kind === 'both' && notesOf(value).name === name) return
    if (before) {
      throw new ModelError(
        pointer,
        `it has the name ${quote(name)}, as the operation at ${before.pointer} has`,
      )
    }
    const input = this.#payload(message, `${name}.input`)
    const { output, errors } = this.#reply(operation, name)
    const described = { description: descriptionOf(value), pointer }
    this.#operations.set(`${kind} ${name}`, { name, kind, input, output, errors, ...described })
  }

  #reply(operation: Place, name: string): Pick<ModelOperation, 'output' | 'errors'> {
    const reply = this.#model.optionalChild(operation, 'reply')
    if (!reply) return { output: undefined, errors: [] }
    const channel = this.#model.optionalChild(reply, 'channel')
    const messages = this.#messages(reply, channel)
    const isError = (message: Message): boolean => typeof notesOf(message.value).error === 'string'
    const outputs = messages.filter((message) => !isError(message))
    const errors = messages.filter(isError).map((message) => {
      const code = String(notesOf(message.value).error)
      return [code, this.#payload(message, `${name}.errors.${code}`)] as const
    })
    const output = outputs.map((message, index) =>
      this.#payload(message, index === 0 ? `${name}.output` : `${name}.${message.key}`),
    )
    // An operation that may fail is answered, though the model describes no answer.
    return { output: output.length > 0 ? output : [null], errors }
  }

  /** The messages that a part names, or all of its channel. */
  #messages(place: Place, channel: Place | undefined): readonly Message[] {
    if (channel) this.#used.add(channel.pointer)
    const named = Object.hasOwn(place.value, 'messages')
    const messages = named ? this.#model.children(place, 'messages') : []
    const all = named || !channel ? messages : this.#model.children(channel, 'messages')
    if (all.length === 0) throw new ModelError(place.pointer, 'it has no messages')
    // A message that is named by a reference goes by its own name, not by its place in the list.
    return all.map((message) => ({ ...message, key: message.pointer.split('/').at(-1) ?? message.key }))
  }

  /**
   * Names of operations have letters of ASCII, digits, `_` and dots: other characters end a word,
   * and the next begins with a capital.
   */
  #operationName(name: string, pointer: string): string {
    const text = asciiText(name)
    if (hasOtherLetters(text)) throw new ModelError(pointer, `${quote(name)} has letters other than A to Z`)
    const spelled = text.replace(/[^\w.]+(.?)/g, (_, next: string) => next.toUpperCase()).split('.')
    if (!spelled.every(isOperationName))
      throw new ModelError(pointer, `${quote(name)} can’t be the name of an operation`)
    const result = spelled.join('.')
    if (text !== name) this.#onWarning(`${pointer}: ${quote(name)} is ${quote(result)} in the contract`)
    return result
  }

  #addChannel(channel: Place): void {
    const { address } = channel.value
    const pattern = typeof address === 'string' ? address : (channel.pointer.split('/').at(-1) ?? '')
    const before = this.#channels.get(pattern)
    if (before && before.pointer !== channel.pointer) {
      throw new ModelError(channel.pointer, `it has the address of the channel at ${before.pointer}`)
    }
    this.#channels.set(pattern, channel)
  }

  #readChannel(pattern: string, channel: Place): ModelChannel {
    const messages = this.#model.children(channel, 'messages')
    if (messages.length === 0) throw new ModelError(channel.pointer, 'it has no messages')
    const events = new Map<string, Payload | null>()
    let presence: Payload | undefined
    for (const message of messages) {
      const notes = notesOf(message.value)
      const name = typeof notes.event === 'string' ? notes.event : message.key
      const part = notes.presence === true ? 'presence' : name
      const payload = this.#payload(message, `channel.${pattern}.${part}`)
      if (notes.presence === true) presence = payload ?? undefined
      else if (events.has(name))
        throw new ModelError(message.pointer, `the event ${quote(name)} is there twice`)
      else events.set(name, payload)
    }
    const described = { description: descriptionOf(channel.value), pointer: channel.pointer }
    return { pattern, events: [...events], presence, ...described }
  }

  #payload(message: Message, name: string): Payload | null {
    const { value, pointer } = message
    if (Object.hasOwn(value, 'headers')) {
      this.#onWarning(`${pointer}: messages have no headers here; they are left out`)
    }
    if (!Object.hasOwn(value, 'payload')) return null
    const optional = notesOf(value).optional === true
    const { schema, place } = this.#schemaOf(value.payload, `${pointer}/payload`)
    return { type: this.#schemas.add(schema, place, name), optional }
  }

  /** A schema may say in which language it is written. */
  #schemaOf(payload: unknown, place: string): { readonly schema: unknown; readonly place: string } {
    if (!isObject(payload) || !Object.hasOwn(payload, 'schemaFormat')) return { schema: payload, place }
    const { schemaFormat, schema } = payload
    if (typeof schemaFormat === 'string' && FORMATS.test(schemaFormat))
      return { schema, place: `${place}/schema` }
    throw new ModelError(place, `its schemaFormat ${quote(String(schemaFormat))} is none of JSON Schema`)
  }
}

function checkVersion(version: unknown): void {
  if (typeof version === 'string' && /^3\.\d+\.\d+$/.test(version)) return
  if (version === undefined) throw new ModelError('#', 'it is no AsyncAPI document: it has no asyncapi')
  const hint = /^[12]\./.test(String(version)) ? '. Convert it: npx @asyncapi/cli convert' : ''
  throw new ModelError('#', `it is of AsyncAPI ${quote(String(version))}; version 3 is needed${hint}`)
}

/**
 * A channel of the contract has publications; other channels only carry the messages of operations.
 */
function isOfContract({ value }: Place): boolean {
  const { kind } = notesOf(value)
  if (kind === 'channel' || kind === 'operation') return kind === 'channel'
  return typeof value.address === 'string' && value.address.includes('{')
}

function notesOf(value: JsonObject): JsonObject {
  const notes = value[EXTENSION]
  return isObject(notes) ? notes : {}
}

function descriptionOf({ description, summary }: JsonObject): string | undefined {
  const text = description ?? summary
  return typeof text === 'string' && text.trim() !== '' ? text : undefined
}

function isOperationName(part: string): boolean {
  return /^[A-Za-z_]\w*$/.test(part) && !(part in Object.prototype)
}
