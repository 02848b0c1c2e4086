/** Finds what exported symbols and options lack in documentation. Each check gives one line of text for each gap. */
import { docCommentBefore, isNode, lineAt, type Node, nodesOf, type SourceFile } from './source-file.js'

/** Exports of an entry without a doc comment, wherever in its package or in another one they are declared. */
export function undocumentedExports(entry: string, files: readonly SourceFile[]): string[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  return exportsOf(entry, byName, new Set()).flatMap(({ file, node, name }) =>
    docCommentBefore(file, node.start) === undefined
      ? [`${file.name}:${lineAt(file.text, node.start)} ${name} has no doc comment`]
      : [],
  )
}

export interface Exported {
  readonly name: string
  /** The statement that declares it, with its `export` where it has one. */
  readonly node: Node
  readonly file: SourceFile
}

type Files = ReadonlyMap<string, SourceFile>

/** Everything that a file exports, followed to where it is declared. `seen` keeps `export *` from running in circles. */
export function exportsOf(name: string, files: Files, seen: Set<string>): Exported[] {
  const file = files.get(name)
  if (!file || seen.has(name)) return []
  seen.add(name)
  return statementsOf(file).flatMap((node): Exported[] => {
    if (isNode(node.declaration)) {
      return declaredNames(node.declaration).map((declared) => ({ name: declared, node, file }))
    }
    if (node.type === 'ExportAllDeclaration') return exportsOf(target(file, node), files, seen)
    if (node.type !== 'ExportNamedDeclaration') return []
    return namesOf(node).flatMap(({ name: exported, theirs }) => {
      const found = isNode(node.source)
        ? findExport(theirs, target(file, node), files)
        : findLocal(theirs, file, files)
      return found ? [{ ...found, name: exported }] : []
    })
  })
}

function findExport(name: string, from: string, files: Files): Exported | undefined {
  return exportsOf(from, files, new Set()).find((exported) => exported.name === name)
}

function findLocal(name: string, file: SourceFile, files: Files): Exported | undefined {
  const node = statementsOf(file).find((statement) => declaredNames(statement).includes(name))
  if (node) return { name, node, file }
  for (const statement of statementsOf(file).filter(({ type }) => type === 'ImportDeclaration')) {
    const imported = namesOf(statement).find((one) => one.name === name)
    if (imported) return findExport(imported.theirs, target(file, statement), files)
  }
  return undefined
}

function statementsOf(file: SourceFile): Node[] {
  return nodesIn(file.program.body)
}

export function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** The file that a statement imports from, by its name among the sources. */
function target(file: SourceFile, statement: Node): string {
  const specifier = isNode(statement.source) ? String(statement.source.value) : ''
  if (specifier.startsWith('@token-socket/')) {
    const [folder, entry = 'index'] = specifier.slice('@token-socket/'.length).split('/')
    return `${folder}/${entry}`
  }
  return new URL(specifier, `file:///${file.name}`).pathname.slice(1).replace(/\.js$/, '')
}

/** The names that a declaration declares: several for `const a = 1, b = 2`. */
function declaredNames(declaration: Node): string[] {
  const declarators = nodesIn(declaration.declarations)
  return (declarators.length > 0 ? declarators : [declaration]).flatMap(({ id }) => identifier(id))
}

/** Of `{ a, b as c }` in an import or export: the name that it makes, and the name of the thing that it takes. */
function namesOf(statement: Node): { name: string; theirs: string }[] {
  return nodesIn(statement.specifiers).flatMap(({ local, imported, exported }) => {
    const [name] = identifier(exported ?? local)
    const [theirs] = identifier(imported ?? local)
    return name !== undefined && theirs !== undefined ? [{ name, theirs }] : []
  })
}

export function identifier(node: unknown): string[] {
  return isNode(node) && typeof node.name === 'string' ? [node.name] : []
}

const members = new Set(['TSPropertySignature', 'TSMethodSignature'])

/** Interfaces that a user fills in. The others of an options file are what the code makes of them. */
const isForUsers = /(Options|Limits)$/

/** Options, of an options file's `…Options` and `…Limits`, without a doc comment, or optional without a `@default`. */
export function undocumentedOptions(file: SourceFile): string[] {
  const interfaces = [...nodesOf(file.program)].filter(
    ({ type, id }) => type === 'TSInterfaceDeclaration' && isForUsers.test(identifier(id).join('')),
  )
  return interfaces.flatMap((one) =>
    nodesIn(isNode(one.body) ? one.body.body : undefined)
      .filter(({ type }) => members.has(type))
      .flatMap((member) => {
        const gap = optionGap(file, member)
        return gap
          ? [`${file.name}:${lineAt(file.text, member.start)} ${identifier(member.key)}: ${gap}`]
          : []
      }),
  )
}

function optionGap(file: SourceFile, member: Node): string | undefined {
  const comment = docCommentBefore(file, member.start)
  if (comment === undefined) return 'no doc comment'
  return member.optional !== true || comment.includes('@default') ? undefined : 'no @default'
}
