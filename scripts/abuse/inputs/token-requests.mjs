// Requests for tokens with any query, body, headers, callback names and claims: each gets one answer, of a known status.
import { Breach } from './breach.mjs'
import { claimsText } from './claims.mjs'
import { Browser } from './http.mjs'
import { mutateText, NAMES, object, value } from './values.mjs'

/** 500 is for claims that the application's own code gives and that are wrong. */
const STATUSES = new Set([200, 204, 400, 403, 404, 413, 415, 500, 503])

const CALLBACKS = [
  'done',
  'a.b',
  'a[0]',
  'alert(1)',
  '</script>',
  '__proto__',
  'x'.repeat(129),
  '',
  '%00',
  'a\nb',
]
const ORIGINS = [
  'null',
  'http://127.0.0.1',
  'https://evil.test',
  '*',
  'http://[::1',
  'file://',
  'x'.repeat(3000),
]

function query(random) {
  const parts = random.list(0, 3, () => {
    const name = random.pick([
      'callback',
      'callback[]',
      'callback[a]',
      'a[b]',
      '__proto__[x]',
      'constructor[prototype][x]',
    ])
    return `${encodeURIComponent(name)}=${encodeURIComponent(random.pick(CALLBACKS))}`
  })
  return parts.length > 0 ? `?${parts.join('&')}` : ''
}

const printable = (text) => text.replace(/[^\x20-\x7e]/g, '?')

function headers(random) {
  const found = {}
  if (random.chance(30)) found.origin = random.pick(ORIGINS)
  if (random.chance(60))
    found['x-auth'] = Buffer.from(claimsText(random)).toString('base64url').slice(0, 8000)
  if (random.chance(30))
    found['content-type'] = random.pick([
      'application/json',
      'application/x-www-form-urlencoded',
      'text/plain',
      'x',
      'application/json; charset=utf-7',
    ])
  if (random.chance(20)) found['x-forwarded-for'] = printable(random.pick(NAMES))
  if (random.chance(10)) found['access-control-request-headers'] = printable(random.pick(NAMES))
  return found
}

function requestOf(random) {
  const body = random.pick([
    '',
    object([['a', value(random)]]),
    mutateText(random, 'a=b&a[__proto__]=c'),
    value(random),
  ])
  const method = random.pick(['POST', 'POST', 'GET', 'OPTIONS', 'PUT', 'DELETE'])
  return {
    method,
    path: `/socket/token${query(random)}`,
    headers: headers(random),
    body: method === 'GET' ? '' : body,
  }
}

export async function tokenRequests(random, count, site) {
  const browser = new Browser(site.port)
  for (let left = count; left > 0; left -= 64) {
    const requests = Array.from({ length: Math.min(64, left) }, () => requestOf(random))
    const answers = await Promise.all(requests.map((one) => browser.ask(one)))
    const odd = answers.findIndex(({ status }) => !STATUSES.has(status))
    if (odd >= 0) throw new Breach(`the status is ${answers[odd].status}`, JSON.stringify(requests[odd]))
  }
  browser.close()
  return { answered: count, closed: 0 }
}
