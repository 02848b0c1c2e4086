/** One typed contract for both ends of a TokenSocket. */
export type { StandardSchemaV1 as Schema } from '@standard-schema/spec'
