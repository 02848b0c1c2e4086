// Frames of the wire, right and wrong, and what the server has to answer.
import { claimsText } from './claims.mjs'
import { forged } from './tokens.mjs'
import { mutateFields, mutateText, NAMES, object, quoted, value } from './values.mjs'

/** Channels are few: what the server keeps for a channel name must not be taken for growth. */
const CHANNELS = [
  'kept-1',
  'kept-2',
  'room-1',
  'plain',
  '__proto__',
  'constructor',
  'no-such',
  '漢字',
  'a'.repeat(256),
]
const FUNCTIONS = [
  'echo',
  'asksBack',
  'later',
  'fails',
  'nested.echo',
  'nested',
  'nested.__proto__',
  '_ping',
  'nothing',
]
const ULID = '01HP8BGSHWY952BXW1PE25DSJA'
const PROOF = '14.ltx2d9.6Bv3Jm0aXrPq1sWc8dYfZg.01HP8BGS'

/** Stands for the epoch that a channel really has. */
export const EPOCH = '$epoch'

/** Stands for a token that gives this socket the claims that follow, in base64url. */
export const TOKEN = '$token:'

const channel = (random) => ['channel', quoted(random.pick(CHANNELS))]
const maybe = (random, percent, field) => (random.chance(percent) ? [field] : [])

/** Requests' `req`, by `rpc`. */
const SHAPES = new Map(
  Object.entries({
    _subscribe: (random) => [
      channel(random),
      ...(random.chance(30) ? position(random) : []),
      ...maybe(random, 20, ['token', channelToken(random)]),
    ],
    _unsubscribe: (random) => [channel(random)],
    _publish: (random) => [
      channel(random),
      ['data', value(random)],
      ...maybe(random, 30, ['event', quoted(random.pick(NAMES))]),
      ...maybe(random, 20, ['key', quoted(random.pick(NAMES))]),
    ],
    _history: (random) => [
      channel(random),
      ...maybe(random, 40, ['after', random.pick([quoted(ULID), value(random)])]),
      ...maybe(random, 40, ['before', random.pick([quoted(ULID.replace('H', '7')), value(random)])]),
      ...maybe(random, 60, ['limit', String(random.number(5))]),
      ...maybe(random, 40, ['reverse', random.pick(['true', 'false'])]),
    ],
    _broadcast: (random) => [['data', value(random, 1)]],
  }),
)

function channelToken(random) {
  if (random.chance(30)) return quoted(forged(random))
  return quoted(TOKEN + Buffer.from(claimsText(random)).toString('base64url'))
}

function position(random) {
  const offset = random.pick(['0', '1', '5', '9007199254740991', value(random, 0)])
  const epoch = random.pick([quoted(EPOCH), quoted(EPOCH), quoted('01HP8BGS'), value(random, 0)])
  const proof = random.pick([quoted(PROOF), quoted(mutateText(random, PROOF)), value(random, 0)])
  return [['epoch', epoch], ['offset', offset], ...maybe(random, 50, ['proof', proof])]
}

function fieldsOf(random, id, rpc) {
  const shape = SHAPES.get(rpc)
  if (shape) {
    const req = shape(random)
    return [
      ['rpc', quoted(rpc)],
      ['req', object(random.chance(40) ? mutateFields(random, req) : req)],
      ['uuid', quoted(id)],
    ]
  }
  if (rpc === '_rpc')
    return [
      ['rpc', '"_rpc"'],
      ['fid', quoted(id)],
      [
        'resp',
        object([
          ['data', value(random)],
          ['error', value(random)],
        ]),
      ],
    ]
  if (rpc === 'auth')
    return [
      ['rpc', '"auth"'],
      ['token', quoted('eyJhbGciOiJIUzI1NiJ9.e30.c2ln')],
      ['uuid', quoted(id)],
      ['version', value(random, 0)],
    ]
  if (rpc === '_cancel')
    return [
      ['rpc', '"_cancel"'],
      ['req', object([['uuid', value(random, 0)]])],
      ['uuid', quoted(id)],
    ]
  return [
    ['rpc', quoted(rpc)],
    ['req', value(random)],
    ['uuid', quoted(id)],
  ]
}

/** One frame. @param rpcs the kinds of requests that it may be, before it is changed */
export function frame(random, id, rpcs) {
  const fields = fieldsOf(random, id, random.pick(rpcs))
  const text = object(random.chance(40) ? mutateFields(random, fields) : fields)
  return random.chance(12) ? mutateText(random, text) : text
}

export const ALL = [
  ...FUNCTIONS,
  ...FUNCTIONS,
  ...NAMES.slice(0, 14),
  ...[
    '_subscribe',
    '_unsubscribe',
    '_publish',
    '_history',
    '_subscribe',
    '_unsubscribe',
    '_publish',
    '_history',
  ],
  ...['_broadcast', '_rpc', 'auth', '_cancel'],
]

/** Answers of a client to a call of the server: a bad one or none, and then a good one. */
export function repliesOf(random, fid) {
  const simple = value(random, 1)
  const good = object([
    ['rpc', '"_rpc"'],
    ['fid', quoted(fid)],
    ['resp', object([['data', isDeep(simple, LEVELS - 2) ? 'null' : simple]])],
  ])
  return random.chance(50) ? [good] : [frame(random, fid, ['_rpc']), good]
}

/**
 * What a frame has to be answered with: the id of the answer, `'error'` for an error without one, or `'nothing'`.
 * @param text as the server gets it
 */
export function expectedOf(text) {
  let parsed
  try {
    parsed = JSON.parse(text)
  } catch {
    return 'error'
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'error'
  const { rpc, uuid, fid, resp, req } = parsed
  // Neither is a request.
  if (rpc === '_rpc') return !isDeep(text) && isId(fid) && isObject(resp) ? 'nothing' : 'error'
  // Of a peer that has not said that it can cancel, one with an id of its own is a call.
  if (rpc === '_cancel' && !isId(uuid))
    return !isDeep(text) && isObject(req) && isId(req.uuid) ? 'nothing' : 'error'
  return isId(uuid) && typeof rpc === 'string' ? { id: uuid } : 'error'
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

const isId = (id) => typeof id === 'string' && id !== '' && id.length <= 64

/** Levels of lists and objects that a message may have. */
const LEVELS = 100

/** Whether a JSON text nests deeper than this, in fields that are given twice, too. */
function isDeep(json, levels = LEVELS) {
  let depth = 0
  for (const [bracket] of json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[[\]{}]/g)) {
    depth += '[{'.includes(bracket) ? 1 : -1
    if (depth > levels) return true
  }
  return false
}
