/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: unknown
}

/** Whether a value is a JSON object, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A reference to another part of the document. */
export interface Reference {
  readonly $ref: string
}

/** The name of the extension that keeps what AsyncAPI has no word for. */
export const EXTENSION = 'x-token-socket'

/** The kinds of operations: three of the contract, and the two of a channel. */
export type OperationKind = 'server' | 'client' | 'both' | 'publish' | 'deliver'

/** A message of an AsyncAPI document. Without `payload` it carries nothing. */
export interface AsyncApiMessage {
  readonly payload?: JsonObject
  readonly [EXTENSION]?: MessageNotes
}

/** What a message is in the contract. */
export interface MessageNotes {
  /** The code of the error that it carries the data of. */
  readonly error?: string
  /** The event of the publication. */
  readonly event?: string
  /** It describes a member of the channel. */
  readonly presence?: true
  /** The payload may be left out. */
  readonly optional?: true
}

/**
 * A channel of an AsyncAPI document: the messages of an operation, or those of a channel of the
 * contract.
 */
export interface AsyncApiChannel {
  readonly address: string
  readonly parameters?: { readonly [name: string]: JsonObject }
  readonly messages: { readonly [id: string]: AsyncApiMessage }
  readonly [EXTENSION]: { readonly kind: 'operation' | 'channel' }
}

/**
 * An operation of an AsyncAPI document. The server is the application: it receives what clients
 * send.
 */
export interface AsyncApiOperation {
  readonly action: 'send' | 'receive'
  readonly channel: Reference
  readonly messages: readonly Reference[]
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] }
  readonly [EXTENSION]: { readonly kind: OperationKind; readonly name?: string }
}

/** An AsyncAPI 3.0 document of a contract. It is plain JSON. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0'
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly servers?: { readonly [name: string]: JsonObject }
  readonly defaultContentType: 'application/json'
  readonly channels: { readonly [id: string]: AsyncApiChannel }
  readonly operations: { readonly [id: string]: AsyncApiOperation }
  readonly components: { readonly schemas: { readonly [name: string]: JsonObject } }
}

/** Writes a key as one part of a JSON pointer. */
export function encodePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Reads one part of a JSON pointer. */
export function decodePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** Makes names unique: a name that is taken gets a number. */
export class UniqueNames {
  /** The names that are taken, each with the number that is tried next. */
  readonly #taken: Map<string, number>

  /** @param reserved names that are never given */
  constructor(reserved: Iterable<string> = []) {
    this.#taken = new Map([...reserved].map((name) => [name, 2]))
  }

  /** @returns the name itself, or the name with the lowest number from 2 that makes it unique */
  take(name: string): string {
    let unique = name
    let count = this.#taken.get(name) ?? 2
    for (; this.#taken.has(unique); count += 1) unique = `${name}${count}`
    this.#taken.set(name, count)
    this.#taken.set(unique, this.#taken.get(unique) ?? 2)
    return unique
  }
}
