import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { rejection, type Site, useSites } from './fixture.js'

describe('options of the server about origins', () => {
  const start = useSites()

  describe('the `origins` option', () => {
    const page = { Origin: 'https://page.example' }
    const doors = {
      'the token route': (site: Site, headers: Record<string, string>) =>
        site.askToken({ headers }).then(({ status }) => status),
      '/info': (site: Site, headers: Record<string, string>) =>
        fetch(`${site.url}/sockets/info`, { headers }).then(({ status }) => status),
      'xhr-polling': (site: Site, headers: Record<string, string>) =>
        fetch(`${site.url}/sockets/000/${randomUUID()}/xhr`, { method: 'POST', headers }).then(
          ({ status }) => status,
        ),
      'the WebSocket upgrade': (site: Site, headers: Record<string, string>) =>
        site.peer('websocket', headers).then(
          () => 200,
          () => 403,
        ),
      'SockJS’s WebSocket upgrade': (site: Site, headers: Record<string, string>) =>
        site.peer('sockjs-websocket', headers).then(
          () => 200,
          () => 403,
        ),
    }

    for (const [door, knock] of Object.entries(doors)) {
      it(`left out, ${door} is open to the same origin and to no other page`, async () => {
        const site = await start()
        expect(await knock(site, { Origin: site.url })).to.equal(200)
        expect(await knock(site, {})).to.equal(200)
        expect(await knock(site, page)).to.equal(403)
        expect(await knock(site, { Origin: 'null' })).to.equal(403)
      })

      it(`without an Origin, ${door} is open or not by the Referer, unless the browser knows better`, async () => {
        const site = await start()
        const other = { Referer: 'https://page.example/x' }
        expect(await knock(site, { Referer: `${site.url}/x` })).to.equal(200)
        expect(await knock(site, other)).to.equal(403)
        expect(await knock(site, { ...other, 'Sec-Fetch-Site': 'same-origin' })).to.equal(200)
      })

      it(`as a list opens ${door} to those on it only`, async () => {
        const site = await start({ origins: ['https://page.example'] })
        expect(await knock(site, page)).to.equal(200)
        expect(await knock(site, { Origin: 'https://page.example.evil' })).to.equal(403)
        expect(await knock(site, { Origin: 'http://page.example' })).to.equal(403)
      })

      it(`as a function judges who comes to ${door}`, async () => {
        const site = await start({ origins: (origin) => origin.endsWith('.example') })
        expect(await knock(site, page)).to.equal(200)
        expect(await knock(site, { Origin: 'https://page.evil' })).to.equal(403)
      })

      it(`a function that throws refuses at ${door}, and nothing worse`, async () => {
        const site = await start({
          origins: () => {
            throw new Error('no list')
          },
        })
        expect(await knock(site, page)).to.equal(403)
        expect(site.failures.map(({ cause }) => String(cause))).to.deep.equal(['Error: no list'])
        await site.servesHonestClients()
      })

      it(`"*" opens ${door} to all`, async () => {
        const site = await start({ origins: '*' })
        expect(await knock(site, { Origin: 'null' })).to.equal(200)
      })
    }

    it('answers CORS for pages on the list, with their own origin and credentials', async () => {
      const site = await start({ origins: ['https://page.example'] })
      const allowed = await site.askToken({ headers: page })
      expect(allowed.headers.get('access-control-allow-origin')).to.equal('https://page.example')
      expect(allowed.headers.get('access-control-allow-credentials')).to.equal('true')
      const refused = await site.askToken({ headers: { Origin: 'https://other.example' } })
      expect(refused.headers.get('access-control-allow-origin')).to.equal(null)
      expect(await refused.text()).not.to.contain('token')
    })

    it('keeps JSONP from pages that are not on it', async () => {
      const site = await start({ origins: ['https://page.example'] })
      const ask = (referer?: string) =>
        site.askToken({ method: 'GET', ...(referer && { headers: { Referer: referer } }) }, '?callback=got')
      expect((await ask()).status).to.equal(403)
      expect((await ask('https://other.example/')).status).to.equal(403)
      const response = await ask('https://page.example/some/page')
      expect(await response.text()).to.match(/got\(\{"token":/)
    })
  })

  describe('the `requireOrigin` option', () => {
    it('refuses who names no origin', async () => {
      const site = await start({ requireOrigin: true })
      expect((await site.askToken()).status).to.equal(403)
      expect((await fetch(`${site.url}/sockets/info`)).status).to.equal(403)
      expect((await rejection(site.peer())).message).to.contain('403')
    })

    it('lets in who names the right one', async () => {
      const site = await start({ requireOrigin: true })
      const client = await site.ready({ headers: { Origin: site.url } })
      expect(await client.rpc('echo', 1)).to.equal(1)
    })
  })
})
