/** The tables of docs/AUTHORISATION.md name the options that there are. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'

const root = new URL('../..', import.meta.url).pathname
const read = (path: string) => readFile(join(root, path), 'utf8')

const optionsOf = async (file: string, name: string) => {
  const source = await read(`packages/sign-out/src/${file}.ts`)
  const [, body = ''] = new RegExp(`export interface ${name}[^{]*\\{\n([^]*?)\n\\}`).exec(source) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option]) => option ?? '')
}

describe('docs/AUTHORISATION.md, the options of signing out', () => {
  it('has a row for each option of `expressSession`', async () => {
    const document = await read('docs/AUTHORISATION.md')
    const section = document.slice(document.indexOf('### express-session'), document.indexOf('### Passport'))
    const rows = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, option]) => option)
    expect(rows).to.deep.equal(await optionsOf('express-session', 'ExpressSessionOptions'))
  })

  for (const [heading, ...interfaces] of [
    ['### Auth0', 'token-verifier TokenOptions', 'back-channel-logout BackChannelLogoutOptions'],
    ['### Shared Signals', 'shared-signals SharedSignalsOptions'],
  ] as const) {
    it(`names each option below ${heading}`, async () => {
      const document = await read('docs/AUTHORISATION.md')
      const section = document.slice(document.indexOf(heading)).split('\n### ')[0]
      for (const one of interfaces) {
        const [file = '', name = ''] = one.split(' ')
        for (const option of await optionsOf(file, name))
          expect(section).to.match(new RegExp(`\`${option}\\b`))
      }
    })
  }
})
