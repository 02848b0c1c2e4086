/** The document of the typed example is the one that its contract gives. */
import { readFile } from 'node:fs/promises'
import { fromAsyncApi } from '@token-socket/contract/asyncapi'
import { expect } from 'chai'
import { parseArguments } from '#contract/cli/arguments.js'
import { runCommand } from '#contract/cli/run-command.js'
import { importContract, makeFolder, removeFolder } from './generated-files.js'
import { problemsOf } from './parser.js'

const folder = new URL('../../../examples/typed/', import.meta.url).pathname
const read = (name: string): Promise<string> => readFile(folder + name, 'utf8')

/** What the example's script `asyncapi` writes. */
async function madeDocument(): Promise<string> {
  const { scripts } = JSON.parse(await read('package.json'))
  const task = parseArguments(scripts.asyncapi.split(' ').slice(1))
  if (task.command !== 'asyncapi') return expect.fail(scripts.asyncapi)
  const { out: _out, ...options } = task.options
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  let text = ''
  const code = await runCommand(['asyncapi', folder + task.file, ...args], {
    write: async (written) => {
      text += written
    },
    report: async (line) => expect.fail(line),
  })
  expect(code).to.equal(0)
  return text
}

describe('examples/typed/asyncapi.json', () => {
  it('is what the contract gives: `npm run asyncapi` in the folder writes it', async () => {
    expect(await madeDocument()).to.equal(await read('asyncapi.json'))
  })

  it('is valid', async function () {
    this.timeout(60_000)
    expect(await problemsOf(JSON.parse(await read('asyncapi.json')))).to.deep.equal([])
  })

  it('becomes a contract again', async () => {
    const temporary = await makeFolder()
    try {
      const { definition } = await importContract(temporary, await fromAsyncApi(await read('asyncapi.json')))
      expect(Object.keys(definition.server ?? {})).to.include.members([
        'sayHello',
        'subscribeToNotifications',
      ])
      expect(Object.keys(definition.client ?? {})).to.include.members(['sendGreeting', 'sendNotification'])
    } finally {
      await removeFolder(temporary)
    }
  })
})
