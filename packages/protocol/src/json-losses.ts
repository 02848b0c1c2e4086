import { isPlain } from './controller.js'

/** A value that JSON changes or drops without an error. */
export interface JsonLoss {
  /** Where the value is, such as `data.items[3].when`. */
  readonly path: string
  /** Its type, such as `a Map`. */
  readonly type: string
  /** What JSON makes of it, and what to send instead. */
  readonly remedy: string
}

/** Nested lists and objects that are searched. */
const DEPTH = 20

/** Values that are searched. */
const VALUES = 1000

/** UTF-16 code units of a key, and of a whole path, that are shown. */
const SHOWN = { key: 40, path: 200 } as const

const NONE: readonly JsonLoss[] = []

/**
 * Finds values that `JSON.stringify` would change or drop without an error: a `Map`, a `Set`,
 * bytes, `NaN`, a function, a symbol, `undefined` in a list, an invalid `Date`, an `Error`, a
 * promise, an instance whose class has methods. A value with a `toJSON` is fine.
 *
 * For warnings during development: call it beside `encodeData`, and only where `NODE_ENV` is not
 * `production`, or in a development build. It searches 1000 values and 20 levels, calls no getter
 * and no `toJSON`, and never throws.
 *
 * @param name how paths begin. @default 'data'
 * @returns the first loss of each type; an empty list, always the same one, if there is none
 */
export function findJsonLosses(data: unknown, name = 'data'): readonly JsonLoss[] {
  if (typeof data === 'string' || typeof data === 'boolean' || data === null || data === undefined)
    return NONE
  const search: Search = { found: undefined, left: VALUES, keys: [] }
  try {
    look(data, search, 0)
  } catch {
    // A proxy of the application may throw at any access.
  }
  if (!search.found) return NONE
  return [...search.found].map(([type, { keys, remedy }]) => ({ path: name + pathOf(keys), type, remedy }))
}

type Key = string | number

interface Search {
  /** By type. */
  found: Map<string, { readonly keys: readonly Key[]; readonly remedy: string }> | undefined
  /** Values that may still be searched. */
  left: number
  /** The path to the current value. */
  readonly keys: Key[]
}

function look(value: unknown, search: Search, depth: number): void {
  search.left -= 1
  if (typeof value !== 'object' || value === null) return lookAtScalar(value, search)
  if (Array.isArray(value)) return lookIntoList(value, search, depth)
  if (!isPlain(value)) return lookAtInstance(value, search, depth)
  if (typeof (value as Convertible).toJSON !== 'function') lookIntoFields(value, search, depth)
}

interface Convertible {
  readonly toJSON?: unknown
}

function lookAtScalar(value: unknown, search: Search): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    note(search, String(value), 'it becomes null: send a finite number, null or a text')
  else if (typeof value === 'function')
    note(search, 'a function', 'it is left out: send data, and let the peer call a named function')
  else if (typeof value === 'symbol') note(search, 'a symbol', 'it is left out: send its description')
}

function lookIntoList(list: readonly unknown[], search: Search, depth: number): void {
  if (depth >= DEPTH) return
  for (let index = 0; index < list.length && search.left > 0; index += 1) {
    const value = list[index]
    search.keys.push(index)
    if (value === undefined)
      note(search, 'undefined in a list', 'it becomes null: send null, or leave it out')
    look(value, search, depth + 1)
    search.keys.pop()
  }
}

function lookIntoFields(object: object, search: Search, depth: number): void {
  if (depth >= DEPTH) return
  for (const key of Object.keys(object)) {
    if (search.left <= 0) return
    search.keys.push(key)
    look(Object.getOwnPropertyDescriptor(object, key)?.value, search, depth + 1)
    search.keys.pop()
  }
}

/** By the tag of an object, which is the same in every realm: what JSON drops of it. */
const TAGS: ReadonlyMap<string, string> = new Map([
  ['Map', 'it becomes {}: send Object.fromEntries(map), or [...map]'],
  ['Set', 'it becomes {}: send [...set]'],
  ['WeakMap', 'it becomes {}: send its data'],
  ['WeakSet', 'it becomes {}: send its data'],
  ['Promise', 'it becomes {}: await it first'],
  ['RegExp', 'it becomes {}: send its source'],
  ['Error', 'it becomes {}: send its message, or throw an RpcError'],
  ['ArrayBuffer', 'it becomes {}: send its bytes as text, such as base64'],
  ['SharedArrayBuffer', 'it becomes {}: send its bytes as text, such as base64'],
])

function lookAtInstance(object: object, search: Search, depth: number): void {
  // Before `toJSON`: a Buffer's returns `{ type, data }` with a number for each byte.
  if (ArrayBuffer.isView(object)) return noteView(object, search)
  const tag = Object.prototype.toString.call(object).slice('[object '.length, -1)
  if (tag === 'Date') {
    if (Number.isNaN((object as Date).getTime()))
      note(search, 'an invalid Date', 'it becomes null: check it first')
    return
  }
  if (typeof (object as Convertible).toJSON === 'function' || BOXES.has(tag)) return
  const remedy = TAGS.get(tag)
  if (remedy !== undefined) return note(search, withArticle(tag), remedy)
  if (hasMethods(object)) note(search, `an instance of ${classOf(object)}`, METHODS)
  lookIntoFields(object, search, depth)
}

/** Objects around a single value, which JSON unwraps. */
const BOXES: ReadonlySet<string> = new Set(['Number', 'String', 'Boolean'])

const METHODS = 'its methods and getters are lost: send a plain object, or give the class a toJSON method'

function noteView(view: ArrayBufferView, search: Search): void {
  const name = classOf(view)
  const isBytes = /^(Buffer|Uint8Array|Uint8ClampedArray|DataView)$/.test(name)
  const remedy = isBytes
    ? 'its bytes become an object of numbers, or {}: send them as text, such as base64'
    : 'it becomes an object by index: send Array.from(list)'
  note(search, withArticle(name), remedy)
}

/** Whether a class between an object and `Object` has a method or an accessor. */
function hasMethods(object: object): boolean {
  for (
    let prototype = Object.getPrototypeOf(object);
    prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if (Object.getPrototypeOf(prototype) === null) return false
    const members = Object.entries(Object.getOwnPropertyDescriptors(prototype))
    if (
      members.some(([name, { value, get }]) => name !== 'constructor' && (get || typeof value === 'function'))
    )
      return true
  }
  return false
}

function classOf(object: object): string {
  const { name } = Object(Object.getPrototypeOf(object)?.constructor) as { readonly name?: unknown }
  return typeof name === 'string' && name !== '' ? name : 'a class without a name'
}

function withArticle(name: string): string {
  return `${/^[AEIOU](?!int)/.test(name) ? 'an' : 'a'} ${name}`
}

function note(search: Search, type: string, remedy: string): void {
  search.found ??= new Map()
  if (!search.found.has(type)) search.found.set(type, { keys: [...search.keys], remedy })
}

function pathOf(keys: readonly Key[]): string {
  const path = keys.map(partOf).join('')
  return path.length > SHOWN.path ? `${path.slice(0, SHOWN.path)}…` : path
}

function partOf(key: Key): string {
  if (typeof key === 'number') return `[${key}]`
  const shown = key.length > SHOWN.key ? `${key.slice(0, SHOWN.key)}…` : key
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(key) ? `.${shown}` : `["${shown}"]`
}
