/** The programs of the READMEs of the server's and the client's packages run as they stand there. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { freePort } from '../ports.js'
import { blocksOf } from './guide/guide-page.js'
import { Program } from './guide/program.js'

const root = new URL('../..', import.meta.url).pathname

async function program(name: string): Promise<string> {
  const blocks = blocksOf(await readFile(join(root, `packages/${name}/README.md`), 'utf8'))
  return blocks.find(({ language }) => language === 'js')?.code ?? ''
}

describe('the READMEs of the server and the client', () => {
  let folder: string
  const programs: Program[] = []

  before(async () => {
    folder = await mkdtemp(join(root, 'node_modules/.readmes-'))
  })

  after(async () => {
    await Promise.all(programs.map((one) => one.kill()))
    await rm(folder, { recursive: true, force: true })
  })

  async function run(file: string, code: string): Promise<Program> {
    await writeFile(join(folder, file), code)
    const started = new Program(folder, [file])
    programs.push(started)
    return started
  }

  it('show a server and a client that understand each other', async () => {
    const port = await freePort()
    const host = `http://localhost:${port}`
    await run('server.mjs', (await program('server')).replace('3000', String(port)))
    let signIn: Response | undefined
    while (!signIn) signIn = await fetch(`${host}/sign-in?name=Ann`).catch(() => undefined)
    expect(await signIn.text()).to.equal('Ann')
    const headers = { cookie: signIn.headers.get('set-cookie') }
    const options = JSON.stringify({ host, headers })
    const code = (await program('client')).replace('TokenSocket({}', `TokenSocket(${options}`)
    expect(code).to.include(options)
    const client = await run('client.mjs', code)
    await client.says('Ann')
    await client.says("chat { text: 'Hello' }")
  })
})
