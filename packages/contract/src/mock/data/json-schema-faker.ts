import { generateSync } from 'json-schema-faker'

/** How data is made of a JSON Schema. */
export interface FakerOptions {
  /** The same seed gives the same data. */
  readonly seed: number
  /** How often an optional property is there, 0 to 1. */
  readonly optionals: number
}

/**
 * Makes data of a JSON Schema. It often fits the schema, and not always: check it.
 * @throws Error if the schema can't be followed
 */
export function fakeData(schema: Readonly<Record<string, unknown>>, options: FakerOptions): unknown {
  return generateSync(schema, {
    seed: options.seed,
    optionalsProbability: options.optionals,
    useExamplesValue: true,
    useDefaultValue: false,
    maxDefaultItems: 3,
  })
}
