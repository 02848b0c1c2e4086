import { badOption, ERRORS } from '@token-socket/protocol'
import { isSchema } from './schema.js'

const FIELDS = ['input', 'output', 'errors']

/**
 * Checks what `procedure` is given.
 * @param place the operation's, to go before the field's name. @default none
 * @throws RpcError `bad_option`, which names the field
 */
export function checkProcedure(definition: unknown, place = ''): void {
  if (typeof definition !== 'object' || definition === null)
    throw badOption(place || 'procedure', 'an object')
  const prefix = place && `${place}.`
  for (const [field, value] of Object.entries(definition)) {
    if (!FIELDS.includes(field)) throw badOption(prefix + field, `one of ${FIELDS.join(', ')}`)
    if (field === 'errors') checkErrors(value, `${prefix}errors`)
    else if (value !== undefined && !isSchema(value)) throw badOption(prefix + field, 'a schema')
  }
}

function checkErrors(errors: unknown, place: string): void {
  for (const [code, schema] of Object.entries(errors ?? {})) {
    if (!/^[A-Za-z]\w*$/.test(code) || code in ERRORS)
      throw badOption(`${place}.${code}`, 'a code of letters, digits and _ that is not one of the library')
    if (!isSchema(schema)) throw badOption(`${place}.${code}`, 'a schema')
  }
}
