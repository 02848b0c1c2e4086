/**
 * What sources that run on every platform may use of it: in browsers, Node, React Native, jsdom and
 * happy-dom (Jest, Vitest), and behind zone.js (Angular). A global that is in no table here is
 * refused.
 */
import { isNode, lineAt, type Node, nodesOf, type SourceFile } from './source-file.js'

/** Files that run on every platform, by the beginning of their names. */
const PORTABLE = /^(protocol\/|client\/|contract\/(client\/)?[^/]+$)/

/** Files that run on one platform only: Node, or a page with a script tag. */
const OWN_PLATFORM = /^client\/(\S+\/)?((node|short)-\S+|global-sockjs)$/

/** Globals that every platform has, of the language and of the platform. */
export const EVERYWHERE: ReadonlySet<string> = new Set([
  ...['Array', 'Boolean', 'Date', 'Error', 'Infinity', 'JSON', 'Map', 'Math', 'NaN', 'Number', 'Object'],
  ...['Promise', 'Reflect', 'RegExp', 'Set', 'String', 'Symbol', 'TypeError', 'WeakMap', 'WeakSet'],
  ...[
    'Int8Array',
    'Uint8Array',
    'ArrayBuffer',
    'BigInt',
    'decodeURIComponent',
    'encodeURIComponent',
    'undefined',
  ],
  ...['AbortController', 'WebSocket', 'clearTimeout', 'console', 'fetch', 'globalThis', 'performance'],
  ...['queueMicrotask', 'setTimeout'],
])

/** Globals that some platforms lack, and the files that look first whether they are there. */
export const SOMEWHERE: Readonly<Record<string, readonly string[]>> = {
  // Bundlers put the text in its place.
  process: [
    'contract/client/argument-checks',
    'contract/client/incoming-calls',
    'contract/client/made-client',
    'contract/client/socket-options',
    'contract/contract',
    'contract/development',
    'contract/procedure',
  ],
  SockJS: ['client/connection/transports/load-sockjs'],
  XMLHttpRequest: ['client/token/page-fetch'],
  document: ['client/token/token-jsonp', 'client/token/token-source', 'client/connection/wake'],
  location: ['client/settings/page-location'],
  navigator: ['client/settings/page-location', 'client/connection/wake'],
  origin: ['client/token/native-fetch', 'client/connection/transports/sockjs'],
}

/** Members that some platform lacks or breaks, and which one. */
export const REFUSED: Readonly<Record<string, string>> = {
  throwIfAborted: 'jsdom 20, React Native and Safari 15 lack it: use throwIfAborted of the protocol package',
  any: 'jsdom and React Native lack AbortSignal.any, and Node 18 Promise.any of signals',
  timeout: 'jsdom and React Native lack AbortSignal.timeout',
  at: 'browsers of before 2022 lack it',
  findLast: 'browsers of before 2023 and React Native lack it',
  findLastIndex: 'browsers of before 2023 and React Native lack it',
  toReversed: 'browsers of before 2023 and React Native lack it',
  toSorted: 'browsers of before 2023 and React Native lack it',
  toSpliced: 'browsers of before 2023 and React Native lack it',
  groupBy: 'browsers of before 2024, Node 20 and React Native lack it',
  withResolvers: 'browsers of before 2024, Node 20 and React Native lack it',
  fromAsync: 'browsers of before 2024, Node 20 and React Native lack it',
  dispose: 'most browsers and React Native lack it',
  asyncDispose: 'most browsers and React Native lack it',
  randomUUID: 'pages that came by http lack it, and React Native',
  isWellFormed: 'browsers of before 2023 and React Native lack it',
}

/** Members that are refused of this object alone; of any object if it is not here. */
const OWNERS: Readonly<Record<string, RegExp>> = {
  any: /^AbortSignal$/,
  timeout: /^AbortSignal$/,
  groupBy: /^(Object|Map)$/,
  dispose: /^Symbol$/,
  asyncDispose: /^Symbol$/,
}

/** The files that read the reason of a signal. Elsewhere it may be missing. */
const REASON_READERS = ['protocol/abort-signal', 'protocol/pending-calls', 'protocol/abort-with']

/** Each use of what some platform lacks, as a line of text. */
export function unportable(file: SourceFile): string[] {
  if (!PORTABLE.test(file.name) || OWN_PLATFORM.test(file.name)) return []
  const at = (node: Node, text: string) => `${file.name}:${lineAt(file.text, node.start)} ${text}`
  const globals = globalsOf(file.program).flatMap(([node, name]) => {
    if (EVERYWHERE.has(name)) return []
    const files = Object.hasOwn(SOMEWHERE, name) ? SOMEWHERE[name] : undefined
    return files?.includes(file.name) ? [] : [at(node, `uses ${name}, which some platforms lack`)]
  })
  const members = [...nodesOf(file.program)].flatMap((node) => {
    const why = refusedMember(node, file.name) ?? refusedOption(node)
    return why === undefined ? [] : [at(node, why)]
  })
  return [...globals, ...members]
}

function refusedMember(node: Node, file: string): string | undefined {
  if (node.type !== 'MemberExpression' || node.computed) return undefined
  const [owner, name] = [nameOf(node.object), nameOf(node.property)]
  if (name === 'reason' && /signal$/i.test(owner) && !REASON_READERS.includes(file))
    return 'reads the reason of a signal, which React Native does not keep: use abortReason'
  if (!Object.hasOwn(REFUSED, name)) return undefined
  const isOwner = OWNERS[name]?.test(owner) ?? true
  return isOwner ? `uses ${name}: ${REFUSED[name]}` : undefined
}

/** `addEventListener(…, { signal })`: older zone.js, jsdom and React Native ignore it, or throw. */
function refusedOption(node: Node): string | undefined {
  if (node.type !== 'CallExpression' || !isNode(node.callee)) return undefined
  if (nameOf(node.callee.property ?? node.callee) !== 'addEventListener') return undefined
  const [, , options] = node.arguments as readonly unknown[]
  return options === undefined ? undefined : 'gives addEventListener options, which React Native ignores'
}

function nameOf(node: unknown): string {
  if (!isNode(node)) return ''
  if (node.type === 'MemberExpression') return nameOf(node.property)
  return typeof node.name === 'string' ? node.name : ''
}

/** The names that a file uses and does not declare, and the members of `globalThis` that it uses. */
function globalsOf(program: Node): [Node, string][] {
  const used: [Node, string][] = []
  const declared = new Set<string>()
  const visit = (node: Node, parent?: Node, key?: string): void => {
    if (isType(node)) return
    if (node.type === 'Identifier' && !isLabel(key, parent)) {
      if (isDeclaration(key, parent)) declared.add(nameOf(node))
      else used.push([node, nameOf(node)])
    }
    for (const name of ofGlobalThis(node)) used.push([node, name])
    for (const [own, child] of childrenOf(node)) visit(child, inPattern(node, parent, key), own)
  }
  visit(program)
  return used.filter(([node, name]) => node.type !== 'Identifier' || !declared.has(name))
}

function childrenOf(node: Node): [string, Node][] {
  return Object.entries(node).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).filter(isNode).map((child): [string, Node] => [key, child]),
  )
}

const EXPRESSIONS = new Set([
  ...['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression', 'TSInstantiationExpression'],
  'TSParameterProperty',
])

/** Whether a node is gone after compiling. */
function isType({ type, importKind, exportKind, declare }: Node): boolean {
  if (declare === true || importKind === 'type' || exportKind === 'type') return true
  return type.startsWith('TS') && !EXPRESSIONS.has(type)
}

/** Names after a dot, of properties, of imports and exports, are no uses of what has that name. */
function isLabel(key = '', parent?: Node): boolean {
  if (!parent) return false
  if (key === 'property' && parent.type === 'MemberExpression') return !parent.computed
  if (key === 'key') return !parent.computed
  return (
    /^(imported|exported|label|meta)$/.test(key) || (parent.type === 'ExportSpecifier' && !!parent.exported)
  )
}

const DECLARATIONS: Readonly<Record<string, readonly string[]>> = {
  VariableDeclarator: ['id'],
  FunctionDeclaration: ['id', 'params'],
  FunctionExpression: ['id', 'params'],
  ArrowFunctionExpression: ['params'],
  ClassDeclaration: ['id'],
  ClassExpression: ['id'],
  CatchClause: ['param'],
  ImportSpecifier: ['local'],
  ImportDefaultSpecifier: ['local'],
  ImportNamespaceSpecifier: ['local'],
  Pattern: ['value', 'elements', 'argument', 'left', 'parameter'],
}

function isDeclaration(key = '', parent?: Node): boolean {
  return !!parent && (DECLARATIONS[parent.type]?.includes(key) ?? false)
}

/** The nodes in a pattern declare what it declares: they see a parent of the type `Pattern`. */
function inPattern(node: Node, parent?: Node, key?: string): Node {
  const isPart = /^(ObjectPattern|ArrayPattern|AssignmentPattern|RestElement|TSParameterProperty)$/
  const isPropertyOfOne = node.type === 'Property' && parent?.type === 'Pattern'
  if (isPropertyOfOne) return { ...node, type: 'Pattern' }
  return isPart.test(node.type) && (isDeclaration(key, parent) || parent?.type === 'Pattern')
    ? { ...node, type: 'Pattern' }
    : node
}

/** `globalThis.name`, and `const { name } = globalThis`. */
function ofGlobalThis(node: Node): readonly string[] {
  if (node.type === 'MemberExpression' && isGlobalThis(node.object)) return [nameOf(node.property)]
  const { id, init } = node
  if (node.type !== 'VariableDeclarator' || !isNode(id) || !isGlobalThis(init)) return []
  return (Array.isArray(id.properties) ? id.properties : []).map((one) => nameOf(isNode(one) && one.key))
}

function isGlobalThis(node: unknown): boolean {
  if (!isNode(node)) return false
  return node.type === 'Identifier' ? node.name === 'globalThis' : isGlobalThis(node.expression)
}
