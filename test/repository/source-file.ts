/**
 * A parsed source file, as the repository's checks see it. The parser is `oxc-parser`: the npm package of TypeScript 7
 * holds the native compiler and no parser that JavaScript can call.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Comment, parseSync } from 'oxc-parser'

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Any node of the syntax tree: the checks look at a few properties of each. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [property: string]: unknown
}

export interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  readonly line: number
}

export interface SourceFile {
  /** The package's folder, a slash, and the path below its `src` without `.ts`: `server/transports/sockjs`. */
  readonly name: string
  readonly text: string
  readonly program: Node
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
}

/** Reads a file's text into what the checks need. Throws where the text is not TypeScript. */
export function parseSource(name: string, text: string): SourceFile {
  const { program, comments, errors } = parseSync(`${name}.ts`, text)
  const [error] = errors
  if (error) throw new SyntaxError(`${name}: ${error.message}`)
  const tree = program as unknown as Node
  const imports = [...nodesOf(tree)].flatMap((node) => importOf(node, text))
  return { name, text, program: tree, comments, imports }
}

/** Every source file of every package, in the order of their names. */
export function readSources(): SourceFile[] {
  const packages = readdirSync(`${root}/packages`)
  return packages.flatMap((name) =>
    sourcePaths(`${root}/packages/${name}/src`).map((path) => {
      const text = readFileSync(`${root}/packages/${name}/src/${path}`, 'utf8')
      return parseSource(`${name}/${path.replace(/\.ts$/, '')}`, text)
    }),
  )
}

function sourcePaths(folder: string): string[] {
  try {
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return paths
      .filter((path) => path.endsWith('.ts'))
      .map((path) => path.replaceAll('\\', '/'))
      .sort()
  } catch {
    return []
  }
}

/** A node and all the nodes in it, parents first. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* nodesOf(child)
    }
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** The number of the line, from 1, that holds a position of the text. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length
}

/** The documentation comment before a position with nothing but line comments between, or `undefined`. */
export function docCommentBefore(file: SourceFile, position: number): string | undefined {
  const isAdjacent = (end: number) => /^(\s|\/\/[^\n]*\n)*$/.test(file.text.slice(end, position))
  const comment = file.comments.find(
    ({ type, value, end }) => type === 'Block' && value.startsWith('*') && end <= position && isAdjacent(end),
  )
  return comment?.value
}

const importing = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
  'TSExternalModuleReference',
])

function importOf(node: Node, text: string): Import[] {
  // The line is looked for where there is an import only: a built file has 100,000 nodes.
  const found = (source: unknown, typeOnly: boolean) => {
    return [{ specifier: literal(source), typeOnly, line: lineAt(text, node.start) }]
  }
  if (isRequire(node)) return found(node.arguments, false)
  const source = node.source ?? node.expression
  if (!importing.has(node.type) || !isNode(source)) return []
  return found(source, isTypeOnly(node))
}

function isRequire(node: Node): boolean {
  return node.type === 'CallExpression' && isNode(node.callee) && node.callee.name === 'require'
}

function literal(value: unknown): string {
  const node: unknown = Array.isArray(value) ? value[0] : value
  const text = isNode(node) && node.type === 'Literal' ? node.value : undefined
  return typeof text === 'string' ? text : '(a computed name)'
}

/** Imports that are gone after compiling: `import type`, `export type`, `import('x').Y` in a type, or all names `type`. */
function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType') return true
  if (node.importKind === 'type' || node.exportKind === 'type') return true
  const names = node.specifiers
  if (!Array.isArray(names) || names.length === 0) return false
  return names.every((name) => isNode(name) && (name.importKind === 'type' || name.exportKind === 'type'))
}
