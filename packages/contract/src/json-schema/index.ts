/**
 * JSON Schemas as schemas of a contract.
 *
 * @module @token-socket/contract/json-schema
 */
export { type JsonSchema, type JsonSchemaOptions, jsonSchema } from './json-schema.js'
