import type { JsonObject } from './document.js'
import { toJson } from './json-text.js'
import { ModelError } from './model-error.js'
import { loadPackage } from './optional-package.js'
import { typeSchema } from './type-schema.js'

/** Makes TypeScript of a JSON Schema. */
export type TypeMaker = (schema: JsonObject, name: string, options: JsonObject) => Promise<string>

/** @throws MissingPackageError without `json-schema-to-typescript` */
export async function loadTypeMaker(): Promise<TypeMaker> {
  const { compile } = await loadPackage<{ readonly compile: TypeMaker }>(
    'json-schema-to-typescript',
    () => import('json-schema-to-typescript'),
  )
  return compile
}

/**
 * The TypeScript of schemas: an exported type for each name, and `Payloads`, which has them all by
 * their names.
 * @param schemas cleaned schemas, by the names of their types
 * @param makeTypes what {@link loadTypeMaker} loads
 */
export async function typesOf(
  schemas: ReadonlyMap<string, JsonObject>,
  makeTypes: TypeMaker,
): Promise<string> {
  const names = [...schemas.keys()]
  const properties = Object.fromEntries(names.map((name) => [name, { $ref: `#/definitions/${name}` }]))
  const definitions = Object.fromEntries([...schemas].map(([name, schema]) => [name, typeSchema(schema)]))
  const root = {
    description: 'What travels, by the names of the types.',
    type: 'object',
    additionalProperties: false,
    required: names,
    properties,
    definitions,
  }
  checkCount(root)
  const [safe, restore] = withoutOwnMethod(root)
  return restore(await makeTypes(safe, 'Payloads', OPTIONS))
}

/** How many objects and lists the types of a model may be made of. */
const MAX_PARTS = 500_000

/** Few schemas can ask for types that are very large: each is counted in all its places. */
function checkCount(root: JsonObject): void {
  const counts = new Map<object, number>()
  const count = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0
    const known = counts.get(value)
    if (known !== undefined) return known
    const total = Object.values(value).reduce<number>((sum, child) => sum + count(child), 1)
    counts.set(value, total)
    return total
  }
  if (count(root) > MAX_PARTS) throw new ModelError('#', `its types have more than ${MAX_PARTS} parts`)
}

const METHOD = 'hasOwnProperty'

/**
 * The library calls this method of each object. A property of the name goes by another until the
 * types are made.
 */
function withoutOwnMethod(root: JsonObject): [safe: JsonObject, restore: (text: string) => string] {
  const text = toJson(root)
  if (!text.includes(METHOD)) return [structuredClone(root), (made) => made]
  let other = 'hasOwnPropertyOfModel'
  while (text.includes(other)) other += '_'
  return [renamed(root, other) as JsonObject, (made) => made.replaceAll(other, METHOD)]
}

function renamed(value: unknown, other: string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, other))
  if (typeof value !== 'object' || value === null) return value === METHOD ? other : value
  const entries = Object.entries(value).map(([key, child]) => [
    key === METHOD ? other : key,
    renamed(child, other),
  ])
  return Object.fromEntries(entries)
}

const OPTIONS = {
  additionalProperties: false,
  bannerComment: '',
  declareExternallyReferenced: true,
  format: true,
  maxItems: 20,
  style: { printWidth: 100, semi: false, singleQuote: true },
  unknownAny: true,
  // The references of cleaned schemas stay in the schema. This keeps the library from files and
  // addresses in any case.
  $refOptions: { resolve: { external: false, file: false, http: false } },
}
