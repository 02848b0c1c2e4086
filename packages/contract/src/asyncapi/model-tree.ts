import { encodePointer } from './document.js'
import { quote } from './json-text.js'
import { ModelError } from './model-error.js'

/** The longest document that is read, in UTF-16 code units: 5,000,000. */
export const MAX_MODEL_LENGTH = 5_000_000

const MAX_NODES = 500_000
const MAX_DEPTH = 100

/** What a part of a document is when it is written out. */
interface TreeSize {
  /** Objects and lists. */
  readonly nodes: number
  /** Characters of its texts and keys. */
  readonly characters: number
  /** Levels of objects and lists. */
  readonly levels: number
}

const LEAF: TreeSize = { nodes: 0, characters: 0, levels: 0 }

/** What is wrong with a model whose parts contain, or refer to, too many others. */
export const TOO_DEEP = 'its parts are nested too deeply, or it is too large'

/**
 * Checks that a document can be written as JSON, and is not too large then. Aliases of YAML lead to
 * the same object many times: it is read once, and counted each time.
 *
 * @throws ModelError for a document that contains itself; for more than 500,000 objects and lists,
 *   100 levels or 5,000,000 characters; for a key `__proto__`; for a text or number unknown to JSON
 */
export function checkTree(document: object): void {
  new TreeReader().read(document, '#')
}

class TreeReader {
  /** The sizes of what was read. `undefined` stands for what is being read. */
  readonly #sizes = new Map<object, TreeSize | undefined>()
  readonly #levelsAbove: object[] = []

  read(value: unknown, pointer: string): TreeSize {
    if (typeof value === 'string') return sizeOfText(value, pointer)
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new ModelError(pointer, `JSON has no number ${value}`)
    if (typeof value !== 'object' || value === null) return LEAF
    const size = this.#sizes.get(value) ?? this.#readChildren(value, pointer)
    if (this.#levelsAbove.length + size.levels > MAX_DEPTH) throw tooDeep(pointer)
    return size
  }

  #readChildren(value: object, pointer: string): TreeSize {
    if (this.#sizes.has(value)) throw new ModelError(pointer, 'it contains itself')
    if (this.#levelsAbove.length === MAX_DEPTH) throw tooDeep(pointer)
    this.#sizes.set(value, undefined)
    this.#levelsAbove.push(value)
    const total = { nodes: 1, characters: 0, levels: 0 }
    for (const [key, child] of Object.entries(value)) {
      if (key === '__proto__') throw new ModelError(pointer, 'the name __proto__ can’t be used')
      if (!Array.isArray(value)) total.characters += sizeOfText(key, pointer).characters
      const size = this.read(child, `${pointer}/${encodePointer(key)}`)
      total.nodes += size.nodes
      total.characters += size.characters
      total.levels = Math.max(total.levels, size.levels)
      checkTotal(total)
    }
    this.#levelsAbove.pop()
    total.levels += 1
    this.#sizes.set(value, total)
    return total
  }
}

function tooDeep(pointer: string): ModelError {
  return new ModelError(pointer, `it is nested more than ${MAX_DEPTH} levels deep`)
}

function checkTotal({ nodes, characters }: TreeSize): void {
  if (nodes > MAX_NODES) throw new ModelError('#', `it has more than ${MAX_NODES} objects and lists`)
  if (characters > MAX_MODEL_LENGTH)
    throw new ModelError('#', `its texts have more than ${MAX_MODEL_LENGTH} characters`)
}

/** Half of a pair of UTF-16 has no form in UTF-8, in which the contract is written. */
function sizeOfText(text: string, pointer: string): TreeSize {
  // A text that is too long is not looked at: an alias may lead to it many times.
  if (text.length <= MAX_MODEL_LENGTH && /\p{Surrogate}/u.test(text))
    throw new ModelError(pointer, `a text is no Unicode: ${quote(text)}`)
  return { nodes: 0, characters: text.length, levels: 0 }
}
