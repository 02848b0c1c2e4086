/** Finds the types that exported interfaces and types name, and that the entry itself does not export. */
import { exportsOf, identifier, nodesIn } from './doc-comments.js'
import { isNode, type Node, nodesOf, type SourceFile } from './source-file.js'

const declarations = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'])

/** The declaration in an export statement. */
function declarationOf(node: Node): Node {
  return isNode(node.declaration) ? node.declaration : node
}

/** The names of types that a declaration refers to, apart from its own parameters. */
export function referredTypes(declaration: Node): string[] {
  const own = new Set<string>()
  const found = new Set<string>()
  for (const node of nodesOf(declaration)) {
    if (node.type === 'TSTypeParameter') for (const name of identifier(node.name)) own.add(name)
    if (node.type === 'TSMappedType') for (const name of identifier(node.key)) own.add(name)
    if (node.type === 'TSTypeReference') for (const name of identifier(node.typeName)) found.add(name)
    if (node.type === 'TSInterfaceHeritage') for (const name of identifier(node.expression)) found.add(name)
  }
  return [...found].filter((name) => !own.has(name))
}

/** The names that a file declares itself or imports from its own package. */
function ownNames(file: SourceFile): Set<string> {
  const names = new Set<string>()
  for (const statement of nodesIn(file.program.body)) {
    for (const name of identifier(declarationOf(statement).id)) names.add(name)
    if (statement.type !== 'ImportDeclaration' || !isNode(statement.source)) continue
    if (!String(statement.source.value).startsWith('.')) continue
    for (const { local } of nodesIn(statement.specifiers))
      for (const name of identifier(local)) names.add(name)
  }
  return names
}

/** One line of text for each type that an entry's types name and the entry lacks. */
export function missingTypes(entry: string, files: readonly SourceFile[]): string[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  const exported = exportsOf(entry, byName, new Set())
  const names = new Set(exported.map(({ node, name }) => identifier(declarationOf(node).id)[0] ?? name))
  return exported.flatMap(({ file, node, name }) => {
    const declaration = declarationOf(node)
    if (!declarations.has(declaration.type)) return []
    const own = ownNames(file)
    return referredTypes(declaration)
      .filter((type) => own.has(type) && !names.has(type))
      .map((type) => `${file.name}: ${name} names ${type}`)
  })
}
