/** Schemas at random, in three libraries: the generated contract accepts and refuses what the shapes say. */
import {
  type Contract,
  defineContract,
  type Operations,
  procedure,
  type Schema,
} from '@token-socket/contract'
import { fromAsyncApi, toAsyncApi } from '@token-socket/contract/asyncapi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { expect } from 'chai'
import fc from 'fast-check'
import { LIBRARIES } from '../generated/schemas.js'
import { fits, type Shape } from '../generated/shape.js'
import { FIXED_SHAPES, shapes } from '../generated/shapes.js'
import { faulty, valid } from '../generated/values.js'
import { compile, importContract, makeFolder, removeFolder } from './generated-files.js'

const SEED = 20261130
const ALL: readonly Shape[] = [...FIXED_SHAPES, ...fc.sample(shapes(), { numRuns: 40, seed: SEED })]
const OPTIONS = { title: 'Shapes', version: '1.0.0', converters: { valibot: toStandardJsonSchema } }

async function accepts(schema: Schema, value: unknown): Promise<boolean> {
  const { issues } = await schema['~standard'].validate(structuredClone(value))
  return issues === undefined
}

function inputOf(contract: Contract, name: string): Schema {
  const operation = contract.definition.server?.[name] as ReturnType<typeof procedure>
  return operation['~procedure'].input as Schema
}

for (const [library, schemaOf] of Object.entries(LIBRARIES)) {
  describe(`a contract of ${ALL.length} shapes in ${library}`, () => {
    let folder: string
    let text: string
    let generated: Contract

    before(async () => {
      folder = await makeFolder()
      const entries = ALL.map(
        (shape, index) => [`op${index}`, procedure({ input: schemaOf(shape) })] as const,
      )
      const server: Operations = Object.fromEntries(entries)
      const onWarning = (warning: string): void => expect.fail(warning)
      text = await fromAsyncApi(toAsyncApi(defineContract({ server }), { ...OPTIONS, onWarning }), {
        onWarning,
      })
      generated = await importContract(folder, text)
    })

    after(() => removeFolder(folder))

    it('accepts what fits', async () => {
      for (const [index, shape] of ALL.entries()) {
        for (const value of fc.sample(valid(shape), { numRuns: 20, seed: SEED })) {
          const isAccepted = await accepts(inputOf(generated, `op${index}`), value)
          expect(isAccepted, `${JSON.stringify(shape)} ${JSON.stringify(value)}`).to.equal(true)
        }
      }
    })

    it('refuses what has a fault', async () => {
      for (const [index, shape] of ALL.entries()) {
        for (const { value } of fc.sample(faulty(shape), { numRuns: 20, seed: SEED })) {
          if (fits(shape, value, 'lenient')) continue
          const isAccepted = await accepts(inputOf(generated, `op${index}`), value)
          expect(isAccepted, `${JSON.stringify(shape)} ${JSON.stringify(value)}`).to.equal(false)
        }
      }
    })

    it('compiles strictly', async function () {
      this.timeout(120_000)
      expect(await compile(folder, { 'contract.ts': text })).to.equal('')
    })
  })
}
