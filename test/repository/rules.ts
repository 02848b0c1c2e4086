/**
 * The rules that source files are held to: who may import whom, what may be in a file, and how long things may be. Each
 * rule is a function from files to breaches, so that it can be tried on bad examples.
 */
import { type Import, isNode, lineAt, type Node, nodesOf, type SourceFile } from './source-file.js'

/** What a package may import of the others, by folder: main entries, or one other entry of a package. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  server: ['protocol'],
  client: ['protocol'],
  contract: ['protocol', 'server', 'client'],
  'engine-tests': ['server/engine', 'protocol'],
  lmdb: ['server/engine', 'protocol'],
  redis: ['server/engine', 'protocol'],
  'sign-out': ['server', 'protocol'],
}

/** The folders of a package in layers, the lowest first, and the other packages that each may import. */
export const layers: Readonly<
  Record<string, { readonly packages: readonly string[]; readonly folders: readonly string[] }>
> = {
  server: {
    packages: ['protocol'],
    folders: [
      'runtime',
      'patterns',
      'options',
      'claims',
      'development',
      'engine',
      'http',
      'socket',
      'middleware',
      'channels',
      'transports',
      'authentication',
      'cluster',
    ],
  },
  redis: { packages: ['protocol', 'server/engine'], folders: ['scripts', 'connection'] },
  client: {
    packages: ['protocol'],
    folders: ['runtime', 'settings', 'token', 'channels', 'advice', 'connection', 'calls'],
  },
}

/** What a folder may import: of the other packages, and of the folders of its own package, besides itself. */
interface FolderArrows {
  readonly packages: readonly string[]
  readonly folders: readonly string[]
}

/** A folder of a package in layers may import all folders below it. The root, without a name, is the highest. */
function arrowsOfLayers(name: string): Readonly<Record<string, FolderArrows>> {
  const { packages = [], folders = [] } = layers[name] ?? {}
  const names = [...folders.map((folder) => `${name}/${folder}`), name]
  return Object.fromEntries(
    names.map((folder, index) => [folder, { packages, folders: names.slice(0, index) }]),
  )
}

/** The arrows of folders, by folder. Packages that are not here have no folders. */
export const folderArrows: Readonly<Record<string, FolderArrows>> = {
  ...arrowsOfLayers('server'),
  ...arrowsOfLayers('redis'),
  ...arrowsOfLayers('client'),
  contract: { packages: ['protocol'], folders: [] },
  'contract/client': { packages: ['protocol', 'client'], folders: ['contract'] },
  'contract/server': { packages: ['protocol', 'server'], folders: ['contract'] },
  'contract/json-schema': { packages: ['protocol'], folders: ['contract'] },
  'contract/asyncapi': { packages: ['protocol'], folders: ['contract', 'contract/json-schema'] },
  'contract/mock': {
    packages: ['protocol', 'client', 'server'],
    folders: ['contract', 'contract/client', 'contract/server', 'contract/asyncapi'],
  },
  'contract/cli': { packages: ['protocol'], folders: ['contract', 'contract/asyncapi'] },
}

/** One door for each outside dependency, its inner files included: the files that may import it. `types` where only its types may be, but for the files of `values`. */
export const doors: Readonly<
  Record<
    string,
    { readonly files: readonly string[]; readonly types?: true; readonly values?: readonly string[] }
  >
> = {
  '@standard-schema/spec': { files: ['contract/schema'], types: true },
  sockjs: { files: ['server/transports/sockjs'] },
  lmdb: { files: ['lmdb/store'] },
  redis: { files: ['redis/connection/redis-handle'] },
  ulid: { files: ['server/engine/event-ids'] },
  ws: { files: ['server/transports/websocket-carriers', 'client/connection/transports/node-websocket'] },
  'sockjs-client': {
    files: [
      'client/connection/transports/load-sockjs',
      'client/connection/transports/node-sockjs',
      'client/connection/transports/bundled-sockjs',
    ],
  },
  jose: { files: ['sign-out/token-verifier'] },
  jsonwebtoken: { files: ['server/authentication/tokens'] },
  express: {
    files: [
      'server/authentication/token-route',
      'server/http/express-routes',
      'server/options',
      'server/server',
      'server/http/served-paths',
      'server/http/handler-chain',
      'server/http/router-layers',
      'server/http/token-mounts',
      'server/authentication/token-endpoint',
      'contract/mock/port/open-port',
    ],
    types: true,
    values: ['contract/mock/port/open-port'],
  },
  // The file that the user names on the command line.
  '(a computed name)': { files: ['contract/cli/contract-module'] },
  '@cfworker/json-schema': { files: ['contract/json-schema/validator'] },
  '@valibot/to-json-schema': { files: ['contract/cli/schema-converters'] },
  jiti: { files: ['contract/cli/contract-module'] },
  'js-yaml': { files: ['contract/asyncapi/model-text'] },
  'json-schema-to-typescript': { files: ['contract/asyncapi/schema-types'] },
  'json-schema-faker': { files: ['contract/mock/data/json-schema-faker'] },
  re2js: { files: ['server/patterns/channel-pattern'] },
  'light-my-request': { files: ['server/http/express-routes'] },
  eventemitter3: { files: ['server/server-emitter', 'client/runtime/emitter'] },
}

/** Entries of a package besides its main one that others may import. */
const extraEntries = new Set(['@token-socket/protocol/testing'])

/** Names that `imports` in a package's package.json defines, and the files behind them. */
export const privateNames: Readonly<Record<string, readonly string[]>> = {
  '#websocket': [
    'client/connection/transports/native-websocket',
    'client/connection/transports/node-websocket',
  ],
  '#fetch': ['client/token/native-fetch', 'client/token/node-fetch'],
  '#advice': ['client/advice/development-advice', 'client/advice/no-advice', 'client/advice/node-advice'],
  '#server-functions': ['contract/server/server-functions', 'contract/server/no-server-functions'],
  '#mock-port': ['contract/mock/port/open-port', 'contract/mock/port/no-port'],
  '#sockjs': [
    'client/connection/transports/load-sockjs',
    'client/connection/transports/node-sockjs',
    'client/connection/transports/global-sockjs',
    'client/connection/transports/bundled-sockjs',
  ],
}

/** Files besides protocol/codec that may use `JSON`, each with the reason. */
export const jsonUsers: Readonly<Record<string, string>> = {
  'protocol/codec': 'the one door of the wire',
  'server/transports/framing':
    'SockJS frames its messages in JSON texts of its own, around those of the codec',
  'contract/asyncapi/json-text': 'models are files of JSON',
  'client/hotsock': 'raw messages of Hotsock are texts of their own',
}

/** Files of tests: their functions are lists of cases, and their values are texts of JSON. */
const isSuite = ({ name }: SourceFile) => name.startsWith('engine-tests/')

const nodeUsers = [
  /^server\//,
  /^lmdb\//,
  /^redis\//,
  /^sign-out\//,
  /^client\/connection\/transports\/node-/,
  /^contract\/cli\//,
  /^contract\/mock\/port\/open-/,
]
const vagueNames = new Set(['utils', 'util', 'types', 'common', 'helpers', 'helper', 'misc', 'shared'])

const FILE_LINES = 400
const FUNCTION_LINES = 40

/** Every rule by what it asks, for the tests. Each gives one line of text for each breach. */
export const rules: Readonly<Record<string, (files: readonly SourceFile[]) => string[]>> = {
  'imports another package only along an arrow, and only by its entry': (files) =>
    eachImport(files, checkArrow),
  'imports of other folders of its package only along an arrow': (files) =>
    eachImport(files, checkFolderArrow),
  'imports each outside dependency through its door': (files) => eachImport(files, checkDoor),
  'imports Node’s modules only on the server, in client/connection/transports/node-*, contract/cli and contract/mock/port/open-*':
    (files) => eachImport(files, checkNode),
  'imports files that exist in the same package, by their .js name': checkRelative,
  'has no import cycle, types included': checkCycles,
  'uses JSON only in protocol/codec': (files) => files.flatMap(checkJson),
  'names files after what they hold': (files) => files.flatMap(checkName),
  'has no any': (files) => files.flatMap(checkAny),
  [`has files of at most ${FILE_LINES} lines`]: (files) => files.flatMap(checkFileLength),
  [`has functions of at most ${FUNCTION_LINES} lines`]: (files) => files.flatMap(checkFunctionLength),
}

function eachImport(
  files: readonly SourceFile[],
  check: (file: SourceFile, found: Import) => string | undefined,
): string[] {
  return files.flatMap((file) =>
    file.imports.flatMap((found) => {
      const reason = check(file, found)
      return reason === undefined ? [] : [`${file.name}:${found.line} imports ${found.specifier}: ${reason}`]
    }),
  )
}

function checkArrow(file: SourceFile, { specifier }: Import): string | undefined {
  if (!specifier.startsWith('@token-socket/')) return undefined
  const entry = specifier.slice('@token-socket/'.length)
  const [target = '', ...rest] = entry.split('/')
  const from = packageOf(file.name)
  if (arrows[from]?.includes(entry)) return undefined
  if (!arrows[from]?.includes(target)) return `there is no arrow from ${from} to ${entry}`
  return rest.length === 0 || extraEntries.has(specifier) ? undefined : 'this is not an entry of the package'
}

/** The folder below a package's src, with the package's name: `contract/client`; the package's name alone for its root. */
function folderOf(name: string): string {
  const [packageName = '', folder, ...rest] = name.split('/')
  return rest.length > 0 ? `${packageName}/${folder}` : packageName
}

function checkFolderArrow(file: SourceFile, { specifier }: Import): string | undefined {
  const from = folderOf(file.name)
  if (!Object.hasOwn(folderArrows, from)) {
    return Object.hasOwn(folderArrows, packageOf(file.name)) ? `${from} has no arrows` : undefined
  }
  const { packages = [], folders = [] } = folderArrows[from] ?? {}
  if (specifier.startsWith('@token-socket/')) {
    const entry = specifier.slice('@token-socket/'.length)
    const [target = ''] = entry.split('/')
    const isAllowed = packages.includes(target) || packages.includes(entry)
    return isAllowed ? undefined : `there is no arrow from ${from} to ${entry}`
  }
  if (!specifier.startsWith('.')) return undefined
  const target = folderOf(resolve(file.name, specifier))
  return target === from || folders.includes(target)
    ? undefined
    : `there is no arrow from ${from} to ${target}`
}

function checkDoor(file: SourceFile, { specifier, typeOnly }: Import): string | undefined {
  if (/^(\.|#|node:|@token-socket\/)/.test(specifier)) return undefined
  const [dependency = ''] = /^(@[^/]+\/)?[^/]+/.exec(specifier) ?? []
  if (dependency === 'chai' && isSuite(file)) return undefined
  const door = Object.hasOwn(doors, dependency) ? doors[dependency] : undefined
  if (!door) return 'this dependency has no door'
  if (!door.files.includes(file.name)) return `only ${door.files.join(', ')} may`
  return door.types && !typeOnly && !door.values?.includes(file.name)
    ? 'only its types may be imported'
    : undefined
}

function checkNode(file: SourceFile, { specifier }: Import): string | undefined {
  if (!specifier.startsWith('node:')) return undefined
  return nodeUsers.some((pattern) => pattern.test(file.name)) ? undefined : 'this file also runs in browsers'
}

function checkRelative(files: readonly SourceFile[]): string[] {
  const names = new Set(files.map(({ name }) => name))
  return eachImport(files, (file, { specifier }) => {
    if (specifier.startsWith('#') && !Object.hasOwn(privateNames, specifier)) return 'no such private name'
    if (!specifier.startsWith('.')) return undefined
    if (!specifier.endsWith('.js')) return 'its name must end in .js'
    const target = resolve(file.name, specifier)
    if (packageOf(target) !== packageOf(file.name)) return 'it is outside the package’s src'
    return names.has(target) ? undefined : 'there is no such file'
  })
}

/** The names of the files that an import stands for, in the same package. */
function targetsOf(file: SourceFile, { specifier }: Import): readonly string[] {
  if (specifier.startsWith('.')) return [resolve(file.name, specifier)]
  return Object.hasOwn(privateNames, specifier) ? (privateNames[specifier] ?? []) : []
}

function resolve(from: string, specifier: string): string {
  const path = new URL(specifier, `file:///${from}`).pathname.slice(1)
  return path.replace(/\.js$/, '')
}

function packageOf(name: string): string {
  return name.slice(0, name.indexOf('/'))
}

function checkCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(files.map((file) => [file.name, file.imports.flatMap((one) => targetsOf(file, one))]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) cycles.push([...path.slice(path.indexOf(name)), name].join(' → '))
    if (path.includes(name) || done.has(name)) return
    for (const next of edges.get(name) ?? []) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of edges.keys()) visit(name, [])
  return cycles
}

function checkJson(file: SourceFile): string[] {
  if (Object.hasOwn(jsonUsers, file.name) || isSuite(file)) return []
  return breaches(file, (node) => node.type === 'Identifier' && node.name === 'JSON', 'uses JSON')
}

function checkAny(file: SourceFile): string[] {
  return breaches(file, (node) => node.type === 'TSAnyKeyword', 'uses any')
}

function breaches(file: SourceFile, isBreach: (node: Node) => boolean, text: string): string[] {
  const found = [...nodesOf(file.program)].filter(isBreach)
  return found.map((node) => `${file.name}:${lineAt(file.text, node.start)} ${text}`)
}

function checkName({ name }: SourceFile): string[] {
  const parts = name.split('/').slice(1)
  if (parts.some((part) => vagueNames.has(part))) return [`${name} says nothing about what is in it`]
  return parts.every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)) ? [] : [`${name} is not kebab-case`]
}

/** A file counts as it would be without its examples, which are for users: a comment of one sentence is one line. */
function withoutExamples(text: string): string {
  const rest = text.replace(/^ *\* @example\n(?: *\* (?!@).*\n)+/gm, '')
  return rest.replace(/^( *\/\*\*)\n *\* (.*)\n *\*\/$/gm, '$1 $2 */')
}

function checkFileLength({ name, text }: SourceFile): string[] {
  const lines = withoutExamples(text.trimEnd()).split('\n').length
  return lines > FILE_LINES ? [`${name} has ${lines} lines`] : []
}

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

function checkFunctionLength(file: SourceFile): string[] {
  if (isSuite(file)) return []
  return [...nodesOf(file.program)].flatMap((node) => {
    if (!functions.has(node.type)) return []
    const first = lineAt(file.text, node.start)
    const lines = lineAt(file.text, node.end) - first + 1
    return lines > FUNCTION_LINES ? [`${file.name}:${first} ${nameOf(node)} has ${lines} lines`] : []
  })
}

function nameOf(node: Node): string {
  const id = node.id
  return isNode(id) && typeof id.name === 'string' ? id.name : 'a function'
}
