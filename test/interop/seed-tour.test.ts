import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { legacyClientFile } from './legacy-client.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'examples', 'seed-tour')
const document = () => readFileSync(join(root, 'docs', 'MIGRATION.md'), 'utf8')
const serverReadme = () => readFileSync(join(root, 'node_modules', 'node-token-sockjs', 'README.md'), 'utf8')
const clientReadme = () => legacyClientFile('README.md')

/** What each step prints; a pattern where it differs from run to run. */
const STEPS: readonly (readonly [heading: string, printed: string | RegExp])[] = [
  ['Server: Initialization', 'The server listens'],
  ['Server: Events', ''],
  [
    'Client: Initialization',
    'Socket client says:  null hello, ada, says the server\nada is ready, over websocket',
  ],
  [
    'Server: Events, at work',
    `Socket attempting to subscribe:  { email: 'ada' } channel1
The subscription is allowed
Socket attempting to publish:  { email: 'ada' } channel1 1
The publication is refused: forbidden
Socket attempting to broadcast:  { email: 'ada' } 2
Socket attempting to broadcast:  { email: 'ada' } 2
The broadcast is refused: forbidden`,
  ],
  ['Server: Events, removed', 'No listener is left: true'],
  [
    'Client: RPC Interface',
    `Response:  null { foo: 'bar' }
Response:  null { nested: { foo: 'bar' } }
By promise: hello`,
  ],
  [
    'Client: RPC Interface, actions',
    `The registered function answers: { foo: 'bar' }
The one added to socket.actions: in place`,
  ],
  [
    'Server: RPC Interface',
    `Socket responded:  null { said: { foo: 'bar' } }
The new function answers: { done: { foo: 'bar' } }`,
  ],
  [
    'Server: Initialization, routes',
    /^Request to read users: 127\.0\.0\.1 127\.0\.0\.1 \{.*\} \{ page: 1 \} \{ page: 1 \}\nUsers: \[\{"name":"Ada"\},\{"name":"Grace"\}\]$/s,
  ],
  ['Client: Handle Messages on Channels', ''],
  ['Client: Subscribe to a Channel', "channels() at once: [ 'channel1' ]"],
  ['Client: Publish on a Channel', "Got message on channel! channel1 { foo: 'bar' }"],
  ['Client: Broadcast on all Channels', "Got message on channel! channel1 { foo: 'bar' }"],
  [
    'Server: List Sockets',
    /^Socket ID: {2}[\w.-]{36,}\nSocket's channels: {2}\[ 'channel1' \]\nSocket's auth data: {2}\{ email: 'ada' \}$/,
  ],
  ['Client: Unsubscribe from a Channel', 'channels() at once: []'],
  ['Server: Subscribe a socket to a channel', "The client knows its channels: [ 'channel' ]"],
  ['Server: Publish a message', "Got message on channel! channel { foo: 'bar' }"],
  [
    'Server: Broadcast a message',
    "Got message on channel! channel { foo: 'bar' }\nGot message on channel! another { foo: 'bar' }",
  ],
  [
    'Server: List Channels',
    `The server’s channels: [ 'channel', 'another' ]
Got message on channel! channel { foo: 'bar' }
Got message on channel! another { foo: 'bar' }`,
  ],
  ['Server: Unsubscribe a socket from a channel', 'The client knows its channels: []'],
  ['Server: Inspect channel sockets', 'Channel foo has 1 sockets connected.'],
  [
    'Server: Filtering Messages',
    `foo is ready, over websocket
Got message on channel! filtered { foo: 1, bar: 2 }
foo gets { foo: 1 } - ada gets { foo: 1, bar: 2 }`,
  ],
  [
    'Client: Event Emitter Interface',
    `reconnect, with an error: false
Another socket to the server: true - with the same channels: [ 'foo', 'filtered', 'channel1' ]`,
  ],
  ['Server: Cleanup', 'Connections have 5000 ms to bring their token'],
  ['Client: Server Client', 'By host and port: hello'],
  ['Client: Close Socket', 'Socket closed'],
  ['Server: Shutdown', 'The server is shut down'],
]

/** Every name of the legacy pair's API: those of its READMEs, and those that are in its code only. */
const NAMES: Readonly<Record<string, string>> = {
  'Options of the server': `app redisClient socketServer prefix tokenRoute pubsubClient socketController
    customMiddleware authentication debug routes filter ping log`,
  'Methods of the server': `rpc publish broadcast subscribe unsubscribe unsubscribeAll sockets channels
    channelSockets on removeListener removeAllListeners enableCleanup disableCleanup publishFilter shutdown`,
  'Events of the server': 'authentication subscribe unsubscribe publish broadcast',
  'A socket on the server': 'sid auth channels host ip ips created',
  'Options of the client':
    'host port tokenPath socketPrefix reconnect authentication sockjs ping ready onreconnect',
  'Methods of the client': `ready onreconnect onmessage rpc register actions subscribe unsubscribe publish broadcast
    channels end on addListener removeListener removeAllListeners`,
  'Events of the client': 'ready reconnect message',
}

describe('the seed tour', function () {
  this.timeout(120_000)
  let printed: Map<string, string>

  before(async () => {
    const args = ['--conditions=@token-socket/source', '--import', 'tsx', join(folder, 'tour.js')]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root })
    expect(stderr).to.equal('')
    const sections = stdout.split(/^## /m).slice(1)
    printed = new Map(
      sections.map((section) => {
        const [heading = '', ...lines] = section.trimEnd().split('\n')
        return [heading, lines.join('\n')]
      }),
    )
  })

  it('goes through every step, in order', () => {
    expect([...printed.keys()]).to.deep.equal(STEPS.map(([heading]) => heading))
  })

  for (const [heading, expected] of STEPS) {
    it(`prints what it should under “${heading}”`, () => {
      if (typeof expected === 'string') expect(printed.get(heading)).to.equal(expected)
      else expect(printed.get(heading)).to.match(expected)
    })
  }

  for (const [side, readme, count] of [
    ['server', serverReadme, 15],
    ['client', clientReadme, 10],
  ] as const) {
    it(`has the snippets of the ${side}’s old README as they stand there`, async () => {
      const text = withoutSpaces(await readme())
      const snippets = snippetsIn(join(folder, side))
      expect(snippets).to.have.length.of.at.least(count)
      for (const snippet of snippets) {
        expect(text.includes(withoutSpaces(snippet)), `not in the README:\n${snippet}`).to.equal(true)
      }
    })
  }
})

describe('the seed tour’s snippets', () => {
  const shown = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && !name.includes('node_modules'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  const lines = new Set(shown.split('\n').map(withoutSpaces))

  it('are all those of the old READMEs, but for constructors of the old form and commands', async () => {
    const readmes = `${serverReadme()}\n${await clientReadme()}`
    const fences = [...readmes.matchAll(/^```\n(.*?)^```$/gms)].map(([, code]) => code ?? '')
    const kept = fences.filter((code) => !/new TokenSocketServer\(|<script|npm install/.test(code))
    expect(kept).to.have.length.of.at.least(20)
    const missing = kept.flatMap((code) => code.split('\n')).filter((line) => !lines.has(withoutSpaces(line)))
    expect(missing).to.deep.equal([])
  })
})

describe('the tables for those who come from the legacy pair', () => {
  const tables = tablesIn(document())

  for (const [title, names] of Object.entries(NAMES)) {
    it(`has a row for each name, under “${title}”`, () => {
      expect(tables.get(title)).to.include.members(names.split(/\s+/))
    })
  }

  it('names limits that there are, for what breaks, with their defaults', () => {
    const section = document().split('## What breaks\n')[1]?.split('\n## ')[0] ?? ''
    const server = readFileSync(join(root, 'packages/server/src/options/limits.ts'), 'utf8')
    const client = readFileSync(join(root, 'packages/client/src/settings/options.ts'), 'utf8')
    const rows = section.split('\n').filter((line) => /^\| [^-W]/.test(line))
    expect(rows).to.have.length.above(10)
    for (const row of rows) {
      const lifts = row.split('|')[3] ?? ''
      for (const [, name = ''] of lifts.matchAll(/`limits\.(\w+)`/g))
        expect(`${server}${client}`, row).to.match(new RegExp(`readonly ${name}\\??: number`))
    }
    const numbers = (source: string, name: string) => new RegExp(`\\b${name}: ([\\d_ *]+),`).exec(source)?.[1]
    for (const [name, value] of [
      ['publication', '32 * 1024'],
      ['message', '1024 * 1024'],
      ['callTimeout', '30_000'],
      ['callsIn', '1000'],
      ['callsOut', '1000'],
      ['callBytes', '8 * 1024 * 1024'],
      ['publicationRate', '1000'],
      ['publicationBytes', '8 * 1024 * 1024'],
      ['broadcastRate', '10'],
      ['rate', '10_000'],
      ['subscriptions', '1000'],
      ['answers', '16 * 1024 * 1024'],
      ['outbox', '1024 * 1024'],
    ] as const)
      expect(numbers(server.split('export const')[1] ?? server, name), name).to.equal(value)
  })

  it('has every name that the old READMEs list or call', async () => {
    const all = new Set(Object.values(NAMES).flatMap((names) => names.split(/\s+/)))
    const readmes = `${serverReadme()}\n${await clientReadme()}`
    const listed = [...readmes.matchAll(/^\* \*\*(\w+)\*\*/gm)].map(([, name]) => name)
    const called = [...readmes.matchAll(/\b(?:tokenServer|tokenSocket|socket|TokenSocket)\.(\w+)/g)].map(
      ([, name]) => name,
    )
    expect(listed).to.have.length.above(25)
    expect([...listed, ...called].filter((name) => !all.has(name ?? ''))).to.deep.equal([])
  })
})

/** What is between the lines that say so, in all files of a folder. */
function snippetsIn(path: string): string[] {
  const files = readdirSync(path).map((name) => readFileSync(join(path, name), 'utf8'))
  return files.flatMap((text) =>
    [...text.matchAll(/^\/\/ ---- as in the README\n(.*?)^\/\/ ----$/gms)].map(
      ([, snippet]) => snippet ?? '',
    ),
  )
}

function withoutSpaces(text: string): string {
  return text.replace(/\s+/g, '')
}

/** The names in code font in the first cell of each row, by the heading above the table. */
function tablesIn(markdown: string): Map<string, string[]> {
  const sections = markdown.split(/^## /m).slice(1)
  return new Map(
    sections.map((section) => {
      const [heading = '', ...lines] = section.split('\n')
      const cells = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|')[1] ?? '')
      return [heading, cells.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name ?? ''))]
    }),
  )
}
