import { expect } from 'chai'
import {
  DEFAULT_TRANSPORTS,
  TRANSPORT_NAMES,
  type TransportName,
} from '#server/transports/transport-names.js'
import { Carrier } from '../server/transports/carrier.js'
import { TestBed } from './test-bed.js'

/** By a transport, what is asked of it, and how it answers if it is on. */
const ASKS: Readonly<
  Record<TransportName, readonly (readonly [method: string, path: string, status: number])[]>
> = {
  websocket: [
    ['GET', '/websocket', 400],
    ['GET', '/000/{id}/websocket', 400],
    ['POST', '/websocket', 405],
  ],
  'xhr-streaming': [
    ['OPTIONS', '/000/{id}/xhr_streaming', 204],
    ['GET', '/000/{id}/xhr_streaming', 405],
  ],
  'xhr-polling': [
    ['POST', '/000/{id}/xhr', 200],
    ['OPTIONS', '/000/{id}/xhr', 204],
  ],
  eventsource: [['POST', '/000/{id}/eventsource', 405]],
  'jsonp-polling': [
    ['GET', '/000/{id}/jsonp?c=f', 200],
    ['POST', '/000/{id}/jsonp', 405],
  ],
  htmlfile: [
    ['GET', '/000/{id}/htmlfile', 500],
    ['POST', '/000/{id}/htmlfile', 405],
  ],
  iframe: [
    ['GET', '/iframe.html', 200],
    ['GET', '/iframe-1.6.1.html', 200],
    ['POST', '/iframe.html', 405],
  ],
  raw: [
    ['GET', '/raw', 426],
    ['POST', '/raw', 426],
  ],
}

const UPGRADES = ['/sockets/websocket', '/sockets/000/abc/websocket']

describe('SockJS, transports that are off', () => {
  let carrier: Carrier

  afterEach(() => carrier.stop())

  const start = async (transports?: readonly TransportName[]) => {
    carrier = await Carrier.start(transports ? { transports } : {})
  }

  /** Asks everything of a transport. Gives the statuses, and those to expect of one that is on. */
  async function statuses(name: TransportName): Promise<readonly [got: number[], on: number[]]> {
    const got: number[] = []
    for (const [method, path] of ASKS[name]) {
      const response = await carrier.fetch(`/sockets${path.replace('{id}', crypto.randomUUID())}`, { method })
      await response.text()
      got.push(response.status)
    }
    return [got, ASKS[name].map(([, , status]) => status)]
  }

  for (const name of TRANSPORT_NAMES) {
    const isOn = DEFAULT_TRANSPORTS.includes(name)

    it(`${name} is ${isOn ? 'on' : 'off: its paths are not found'}, if nothing else is said`, async () => {
      await start()
      const [got, on] = await statuses(name)
      expect(got).to.deep.equal(isOn ? on : on.map(() => 404))
    })

    it(`${name} is on where it is named, and off where all others are`, async () => {
      await start(name === 'iframe' ? ['xhr-polling', name] : [name])
      const [got, on] = await statuses(name)
      expect(got).to.deep.equal(on)
      await carrier.stop()
      await start(TRANSPORT_NAMES.filter((other) => other !== name))
      expect((await statuses(name))[0]).to.deep.equal(on.map(() => 404))
    })
  }

  it('have no session opened by what they refuse', async () => {
    await start()
    await carrier.fetch('/sockets/000/abc/jsonp?c=f')
    await carrier.fetch('/sockets/000/abc/htmlfile?c=f')
    expect((await carrier.post('abc/xhr_send', '["a"]')).status).to.equal(404)
    expect(carrier.guests.rest).to.deep.equal([])
  })

  it('leave `xhr_send` on for any that sends by it, and `jsonp_send` for jsonp-polling alone', async () => {
    for (const [names, xhrSend, jsonpSend] of [
      [['xhr-polling'], true, false],
      [['xhr-streaming'], true, false],
      [['eventsource'], true, false],
      [['htmlfile'], true, false],
      [['jsonp-polling'], false, true],
      [['websocket'], false, false],
      [['websocket', 'jsonp-polling', 'htmlfile'], true, true],
    ] as const) {
      await start(names)
      // A preflight is answered wherever the path is on, without a session.
      const preflight = await carrier.fetch('/sockets/000/abc/xhr_send', { method: 'OPTIONS' })
      expect(preflight.status, `xhr_send with ${names}`).to.equal(xhrSend ? 204 : 404)
      // One that is on and knows no such session closes nothing; `OPTIONS` is a method that it does not take.
      const other = await carrier.fetch('/sockets/000/abc/jsonp_send', { method: 'OPTIONS' })
      expect(other.status, `jsonp_send with ${names}`).to.equal(jsonpSend ? 405 : 404)
      await carrier.stop()
    }
    await start()
  })

  it('are refused before any of a body is read', async () => {
    await start(['websocket'])
    for (const path of ['xhr', 'xhr_send', 'jsonp_send', 'xhr_streaming']) {
      const head = `POST /sockets/000/abc/${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n`
      expect(await (await carrier.server.raw(head)).ended()).to.match(/^HTTP\/1.1 404 /)
    }
  })

  it('answer upgrades with 404 where WebSocket is off, and `/info` says so', async () => {
    await start(['xhr-polling'])
    for (const path of UPGRADES) expect(await carrier.refusal(path)).to.equal(404)
    expect(await (await carrier.fetch('/sockets/info')).json()).to.include({ websocket: false })
  })

  it('leave `/info` and the greeting, which says that WebSocket is on', async () => {
    await start(['websocket'])
    expect(await (await carrier.fetch('/sockets/info')).json()).to.include({ websocket: true })
    expect(await (await carrier.fetch('/sockets')).text()).to.equal('Welcome to SockJS!\n')
    for (const path of UPGRADES) (await carrier.open(path)).peer.socket.terminate()
  })

  it('work as ever where they are switched on: a message there and back', async () => {
    await start(TRANSPORT_NAMES)
    const stream = await carrier.fetch('/sockets/000/abc/htmlfile?c=f')
    const guest = await carrier.guests.next()
    expect(guest.connection.transport).to.equal('htmlfile')
    expect((await carrier.post('abc/xhr_send', '["hi"]')).status).to.equal(204)
    expect(await guest.messages.next()).to.equal('hi')
    guest.connection.close(3000, 'Go away!')
    expect(await stream.text()).to.include('Go away!')
  })
})

describe('SockJS with all but the defaults off, on a service of its own', () => {
  let bed: TestBed

  before(async () => {
    bed = await TestBed.start()
  })

  after(() => bed.stop())

  for (const path of ['/000/a/jsonp?c=f', '/000/a/htmlfile?c=f', '/iframe.html', '/iframe-1.html?t=1']) {
    it(`GET /default_echo${path} is not found`, async () => {
      expect((await bed.get(`/default_echo${path}`)).status).to.equal(404)
    })
  }

  it('POST to jsonp_send is not found, even of a session that there is', async () => {
    const session = await bed.open('/default_echo')
    expect((await bed.post(`${session}/jsonp_send`, '["a"]')).status).to.equal(404)
    await bed.say(session, '["a"]')
    expect((await bed.post(`${session}/xhr`)).body).to.equal('a["a"]\n')
  })
})
