import { fromJson } from './json-text.js'
import { ModelError } from './model-error.js'
import { MAX_MODEL_LENGTH, TOO_DEEP } from './model-tree.js'
import { loadPackage } from './optional-package.js'
import { mergeKeys } from './yaml-merge.js'

/**
 * Reads a document in JSON or YAML. Texts that begin with `{` are JSON; the others need the package
 * `js-yaml`. Merge keys of YAML are carried out.
 *
 * @throws ModelError for a text that is neither, too deep, or longer than 5,000,000 characters
 * @throws MissingPackageError without `js-yaml`
 */
export async function parseModel(text: string): Promise<unknown> {
  if (text.length > MAX_MODEL_LENGTH) {
    throw new ModelError('#', `it is longer than ${MAX_MODEL_LENGTH} characters`)
  }
  const isJson = /^\uFEFF?\s*\{/.test(text)
  try {
    return isJson ? fromJson(text.replace(/^\uFEFF/, '')) : await parseYaml(text)
  } catch (error) {
    // The libraries call themselves for each level.
    if (error instanceof RangeError) throw new ModelError('#', TOO_DEEP)
    if (!(error instanceof SyntaxError) && !isYamlError(error)) throw error
    throw new ModelError('#', `it is no ${isJson ? 'JSON' : 'JSON and no YAML'}: ${firstLine(error)}`)
  }
}

interface Yaml {
  load(text: string, options: { schema: unknown }): unknown
  readonly CORE_SCHEMA: unknown
}

async function parseYaml(text: string): Promise<unknown> {
  // @ts-expect-error The package has no types of its own before version 5.
  const importYaml = () => import('js-yaml')
  const { load, CORE_SCHEMA } = await loadPackage<Yaml>('js-yaml', importYaml)
  // This schema makes no functions, dates or other objects, in any version of the package.
  return mergeKeys(load(text, { schema: CORE_SCHEMA }), text)
}

function isYamlError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'YAMLException'
}

function firstLine({ message }: Error): string {
  return message.split('\n', 1)[0]?.slice(0, 200) ?? ''
}
