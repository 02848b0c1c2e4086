/** Tokens of a provider on two nodes: what fails on one comes again to the other. */
import { backChannelLogout, sharedSignals } from '@token-socket/sign-out'
import { expect } from 'chai'
import { type Site, until } from '../end-to-end/fixture.js'
import { Nodes } from './nodes.js'
import { Provider } from './provider.js'

const REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'

describe('a token of a provider, on two nodes', function () {
  this.timeout(120_000)
  let nodes: Nodes
  let provider: Provider

  before(async () => {
    nodes = await Nodes.start()
    provider = await Provider.start()
  })

  afterEach(() => nodes.clear())

  after(() => Promise.all([nodes.stop(), provider.stop()]))

  const routes = {
    '/logout': { type: 'application/x-www-form-urlencoded', statuses: [503, 200, 400, 400] },
    '/signals': { type: 'application/secevent+jwt', statuses: [503, 202, 202, 202] },
  }
  for (const [path, { type, statuses }] of Object.entries(routes))
    it(`whose order failed on one is done by the other, and by none again, at ${path}`, async () => {
      let isDown = true
      let runs = 0
      const pair = await nodes.two(() => {}, { authentication: async () => ({ uid: 'ann' }) })
      for (const { site } of pair) {
        const select = async () => {
          if (isDown) throw new Error('the database is down')
          runs += 1
          return { uid: 'ann' }
        }
        const options = { ...provider.options, select, onerror: () => {} }
        site.app.post('/logout', backChannelLogout(site.sockets, options))
        site.app.post('/signals', sharedSignals(site.sockets, options))
      }
      const [a, b] = pair
      const client = await b.site.ready()
      const isLogout = path === '/logout'
      const token = isLogout ? await provider.logoutToken() : await provider.securityEvent(REVOKED)
      const body = isLogout ? `logout_token=${token}` : token
      const post = async ({ url }: Site) => {
        const init = { method: 'POST', body, headers: { 'content-type': type } }
        return (await fetch(url + path, init)).status
      }
      const answers = [await post(a.site)]
      isDown = false
      const left = new Promise((resolve) => client.once('disconnect', resolve))
      answers.push(await post(b.site))
      await left
      answers.push(await post(a.site), await post(b.site))
      expect([answers, runs]).to.deep.equal([statuses, 1])
      await until(() => client.state === 'ready')
    })
})
