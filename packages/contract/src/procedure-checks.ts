import { badOption, ERRORS } from '@token-socket/protocol'
import { isSchema } from './schema.js'

const FIELDS = ['input', 'output', 'errors']

/**
 * Checks the argument of `procedure`.
 * @param field the operation's own field, as a prefix of its parts' names. @default none
 * @throws RpcError `bad_option`, which names the field
 */
export function checkProcedure(definition: unknown, field = ''): void {
  if (typeof definition !== 'object' || definition === null)
    throw badOption(field || 'procedure', 'an object')
  const prefix = field && `${field}.`
  for (const [field, value] of Object.entries(definition)) {
    if (!FIELDS.includes(field)) throw badOption(prefix + field, `one of ${FIELDS.join(', ')}`)
    if (field === 'errors') checkErrors(value, `${prefix}errors`)
    else if (value !== undefined && !isSchema(value)) throw badOption(prefix + field, 'a schema')
  }
}

function checkErrors(errors: unknown, field: string): void {
  for (const [code, schema] of Object.entries(errors ?? {})) {
    if (!/^[A-Za-z]\w*$/.test(code) || code in ERRORS)
      throw badOption(`${field}.${code}`, 'a code of letters, digits and _ that is none of the library’s own')
    if (!isSchema(schema)) throw badOption(`${field}.${code}`, 'a schema')
  }
}
