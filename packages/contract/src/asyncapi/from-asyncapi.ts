import { ContractText } from './contract-text.js'
import { Model } from './model.js'
import { ContractReader } from './model-contract.js'
import { ModelError } from './model-error.js'
import { checkNames } from './model-names.js'
import { ModelSchemas } from './model-schemas.js'
import { parseModel } from './model-text.js'
import { TOO_DEEP } from './model-tree.js'
import { checkSchemas } from './schema-checks.js'
import { loadTypeMaker, typesOf } from './schema-types.js'

/** How a contract is generated. */
export interface FromAsyncApiOptions {
  /**
   * Receives a sentence for each thing of the model that the contract leaves out. @default
   * `console.warn`
   */
  readonly onWarning?: ((text: string) => void) | undefined
}

/**
 * Generates the text of a `contract.ts` from an AsyncAPI 3 document. The same document gives the
 * same text. It reads nothing but the document: no file and no address.
 *
 * The types come from `json-schema-to-typescript`; YAML is read by `js-yaml`. They are optional
 * peer dependencies. The checks are `jsonSchema` of this package.
 *
 * @param document the document, or its text in JSON or YAML
 * @throws ModelError which names the place, for a model that no contract can be made of
 * @throws MissingPackageError which names the packages to install
 * @example
 * await writeFile('contract.ts', await fromAsyncApi(await readFile('asyncapi.json', 'utf8')))
 */
export async function fromAsyncApi(document: unknown, options: FromAsyncApiOptions = {}): Promise<string> {
  const { onWarning = console.warn } = options
  const model = typeof document === 'string' ? await parseModel(document) : document
  try {
    return await generate(model, onWarning)
  } catch (error) {
    if (error instanceof RangeError) throw new ModelError('#', TOO_DEEP)
    throw error
  }
}

async function generate(document: unknown, onWarning: (text: string) => void): Promise<string> {
  const model = new Model(document)
  const schemas = new ModelSchemas(model, onWarning)
  const contract = new ContractReader(model, schemas, onWarning).read()
  schemas.finish()
  schemas.checkExactReferences()
  checkNames(contract)
  checkSchemas(schemas)
  const makeTypes = await loadTypeMaker()
  const definitions = [...schemas.definitions].map(([name, { schema }]) => [name, schema] as const)
  const types = definitions.length > 0 ? await typesOf(new Map(definitions), makeTypes) : ''
  return new ContractText(schemas).write(contract, types)
}
