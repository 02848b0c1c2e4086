/**
 * Finds the types that the declarations of an entry name, and that the entry itself does not export. It reads the built
 * declarations: what users' compilers see, without bodies, private members and internals.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { type Exported, exportsOf, identifier, nodesIn } from './doc-comments.js'
import { isNode, type Node, nodesOf, parseSource, root, type SourceFile } from './source-file.js'

/** The declarations of all built packages, by the names of their sources. */
export function readDeclarations(): SourceFile[] {
  return readdirSync(`${root}/packages`).flatMap((name) => {
    const folder = `${root}/packages/${name}/dist/esm`
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const declarations = files.filter((file) => file.endsWith('.d.ts'))
    return declarations.map((file) =>
      parseSource(`${name}/${file.replace(/\.d\.ts$/, '')}`, readFileSync(`${folder}/${file}`, 'utf8')),
    )
  })
}

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

type Files = ReadonlyMap<string, SourceFile>

/** What a file declares under a name, or imports from another file of its package. */
function declared(file: SourceFile, name: string, files: Files): Exported | undefined {
  const node = nodesIn(file.program.body).find((one) => identifier(declarationOf(one).id).includes(name))
  if (node) return { name, node, file }
  for (const { source, specifiers } of nodesIn(file.program.body)) {
    if (!isNode(source) || !nodesIn(specifiers).some(({ local }) => identifier(local).includes(name)))
      continue
    const path = new URL(String(source.value), `file:///${file.name}`).pathname.slice(1).replace(/\.js$/, '')
    return exportsOf(path, files, new Set()).find((one) => one.name === name)
  }
  return undefined
}

/** A class and those that it extends: their members are its own, whether they are exported or not. */
function withBases(exported: Exported, files: Files): Exported[] {
  const { superClass } = declarationOf(exported.node)
  const [name] = identifier(superClass)
  const base = name === undefined ? undefined : declared(exported.file, name, files)
  return base ? [exported, ...withBases(base, files)] : [exported]
}

/**
 * One line of text for each type that an entry's declarations name and no entry exports.
 * @param others the other entries of the package
 */
export function missingTypes(
  entry: string,
  files: readonly SourceFile[],
  others: readonly string[] = [],
): string[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  const exported = exportsOf(entry, byName, new Set())
  const all = [entry, ...others].flatMap((one) => exportsOf(one, byName, new Set()))
  const names = new Set(all.map(({ node, name }) => identifier(declarationOf(node).id)[0] ?? name))
  const missing = exported.flatMap((one) =>
    withBases(one, byName).flatMap(({ file, node, name }) => {
      const own = ownNames(file)
      return referredTypes(declarationOf(node))
        .filter((type) => own.has(type) && !names.has(type))
        .map((type) => `${file.name}: ${name} names ${type}`)
    }),
  )
  return [...new Set(missing)]
}
