/** JSON Schemas as schemas of a contract. */
export { type JsonSchema, type JsonSchemaOptions, jsonSchema } from './json-schema.js'
