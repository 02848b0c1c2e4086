/** The sessions with wscat of docs/CONNECTIONS.md, as they are written. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { RawRecipe, type Session } from '../raw-recipe.js'

const PACKAGE = createRequire(import.meta.url).resolve('wscat/package.json')

describe('docs/CONNECTIONS.md, wscat', function () {
  this.timeout(120_000)
  let recipe: RawRecipe

  before(async () => {
    recipe = await RawRecipe.start()
  })

  after(() => recipe.stop())

  /** Starts what a session's command starts. */
  function begin({ command }: Session): ChildProcessWithoutNullStreams {
    const [, , ...args] = command.match(/'[^']*'|\S+/g) ?? []
    const words = args.map((word) => word.replaceAll("'", ''))
    return spawn(process.execPath, [join(dirname(PACKAGE), 'bin/wscat'), ...words])
  }

  it('has two sessions', () => {
    expect(recipe.sessions).to.have.length(2)
  })

  it('shows what is documented for each line that is typed', async () => {
    const [session] = recipe.sessions as [Session]
    const wscat = begin(session)
    const shown: string[] = []
    let rest = ''
    let wake = () => {}
    wscat.stdout.on('data', (chunk) => {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop() ?? ''
      // Its prompt stands before what comes next.
      shown.push(...lines.map((line) => line.replace(/^(> )+/, '')))
      wake()
    })
    const expected: string[] = []
    for (const { kind, text } of session.lines) {
      if (kind === 'typed') {
        wscat.stdin.write(`${text}\n`)
        continue
      }
      expected.push(text)
      while (shown.length < expected.length)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
    expect(shown).to.deep.equal(expected)
    wscat.kill()
    await once(wscat, 'exit')
  })

  it('shows the refusal that is documented', async () => {
    const [, session] = recipe.sessions as [Session, Session]
    const wscat = begin(session)
    const said: Buffer[] = []
    wscat.stdout.on('data', (chunk) => said.push(chunk))
    wscat.stderr.on('data', (chunk) => said.push(chunk))
    await once(wscat, 'close')
    expect(String(Buffer.concat(said)).trim()).to.equal(session.lines[0]?.text)
  })
})
