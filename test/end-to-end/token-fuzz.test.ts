/**
 * The token route and tokens, with thousands of inputs that no honest client sends, the same for the same seed. Each is
 * answered below 500, no error reaches Express, and a token that is none is `invalid_token`, without a stack in the log.
 */
import { Agent, request as send } from 'node:http'
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import type { ErrorRequestHandler } from 'express'
import { Random } from '../protocol/random.js'
import { EXPRESS_VERSIONS } from '../server/applications.js'
import { badToken } from './bad-jwt.js'
import { type Site, useSites } from './fixture.js'

const SECRET = 'the secret of the application, of 32 bytes'
const REQUESTS = 1000
const TOKENS = 500

/** An engine as nodes share one: the ticket of a refused token is looked for in it. */
class SharedEngine extends MemoryEngine {
  override readonly shared = true as never
}

/** Part of a URL's query: names in brackets become objects and lists where the parser is `extended`. */
function query(random: Random): string {
  const name = random.pick(['callback', 'callback', 'uid', 'name', '', '__proto__', 'toString'])
  const keys = [
    '',
    '[]',
    '[0]',
    '[toString]',
    '[__proto__]',
    '[constructor][prototype]',
    '[length]',
    '[a][b]',
    '%00',
  ]
  const value = random.pick([
    'x',
    '',
    'a.b',
    '<script>',
    '%ff',
    '%E2%80%A8',
    'x'.repeat(200),
    encodeURIComponent(Buffer.from(random.text()).toString()),
  ])
  return `${name}${random.pick(keys as [string])}=${value}`
}

/** @param page an address of the server's own pages */
function headers(random: Random, page: string): Record<string, string> {
  const names = [
    'Origin',
    'Referer',
    'Host',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'Access-Control-Request-Headers',
    'Sec-Fetch-Site',
    'Content-Type',
    'Cookie',
    'If-None-Match',
  ] as const
  const values = [
    ...[
      'null',
      'http://',
      'https://a.example.com',
      'http://[::1',
      'same-origin',
      'cross-site',
      '',
      ',,,',
      '*',
    ],
    ...['\u00ff\u00fe', 'a=b; __proto__=1', 'application/json', '10.0.0.1, x', 'é', 'x'.repeat(2000)],
  ]
  const pairs = Array.from({ length: random.number(4) }, () => [
    random.pick(names),
    random.pick(values as [string]),
  ])
  return { ...(random.number(2) && { Referer: page }), ...Object.fromEntries(pairs) }
}

/** The status of one request, whatever its headers are. */
function ask(site: Site, random: Random): Promise<number> {
  const path = `/socket/token?${Array.from({ length: random.number(4) }, () => query(random)).join('&')}`
  const method = random.pick(['GET', 'POST', 'OPTIONS', 'HEAD'])
  return new Promise((resolve, reject) => {
    const request = send(
      { port: site.port, host: '127.0.0.1', path, method, headers: headers(random, site.url), agent },
      (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    request.on('error', reject)
    request.end(method === 'POST' ? random.text() : undefined)
  })
}

/** Connections are used again. */
const agent = new Agent({ keepAlive: true })

describe('inputs from strangers', () => {
  after(() => agent.destroy())

  const start = useSites()

  for (const { name, make } of EXPRESS_VERSIONS) {
    it(`of the token route of ${name} are answered below 500`, async () => {
      const app = make()
      app.set('query parser', 'extended').set('trust proxy', true)
      const site = await start({ app })
      const errors: unknown[] = []
      const note: ErrorRequestHandler = (error, _request, response, _next) => {
        errors.push(error)
        response.status(500).end()
      }
      app.use(note)
      const random = new Random(7)
      const statuses = new Map<number, number>()
      for (let left = REQUESTS; left > 0; left -= 1) {
        const status = await ask(site, random)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      expect(errors).to.deep.equal([])
      expect(Math.max(...statuses.keys())).to.be.lessThan(500)
      // The inputs do reach what they are for.
      for (const status of [200, 204, 400, 403]) expect([...statuses.keys()]).to.include(status)
      expect(site.log.filter(({ level }) => level === 'error')).to.deep.equal([])
      await site.servesHonestClients()
    })
  }

  it('that are tokens are invalid_token, and leave neither a stack nor a line for each', async () => {
    const site = await start({
      app: EXPRESS_VERSIONS[0]?.make() as never,
      engine: new SharedEngine(),
      secret: SECRET,
    })
    const random = new Random(11)
    const codes = new Set<unknown>()
    for (let left = TOKENS; left > 0; left -= 100) {
      const peers = await Promise.all(Array.from({ length: 100 }, () => site.peer('websocket')))
      const answers = await Promise.all(peers.map((peer) => peer.auth(badToken(random, SECRET))))
      for (const { code } of answers) codes.add(code)
      for (const peer of peers) peer.destroy()
    }
    expect([...codes].sort()).to.deep.equal(['invalid_token'])
    expect(site.failures).to.deep.equal([])
    expect(site.log.filter(({ level, details }) => level === 'error' || 'err' in details)).to.deep.equal([])
    expect(site.log.length).to.be.lessThan(40)
  })
})
