/** The composables of docs/guide/frontends.md, in an application of Vue. */
import { cp, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { GuidePage } from '../end-to-end/guide/guide-page.js'

describe('the guide: frontends, Vue', () => {
  let page: GuidePage

  before(async () => {
    page = await GuidePage.write('frontends', 'test/matrix/node_modules')
    await writeFile(page.path('package.json'), '{"type":"module"}')
    await cp(new URL('guide-vue-page.mjs', import.meta.url), page.path('app.mjs'))
  })

  after(() => page?.remove())

  it('shows members and events while a component is there, and the state', async () => {
    await page.serve()
    const app = page.run('app.mjs', {}, page.address)
    await app.says('state: readyhere: ann')
    app.type('say')
    await app.says('heard hello')
    app.type('suspend')
    await app.says('state: suspended')
    app.type('resume')
    app.type('hide')
    await app.says('state: ready\n')
    app.type('end')
    app.type('')
    expect((await app.ended()).code).to.equal(0)
  })
})
