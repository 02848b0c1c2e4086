/**
 * Finds optional properties of exported types that refuse an explicit `undefined` where the
 * compiler has `exactOptionalPropertyTypes`.
 */
import { exportsOf, identifier, nodesIn } from './doc-comments.js'
import { isNode, type Node, nodesOf, type SourceFile } from './source-file.js'

const DECLARATIONS = new Set([
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'ClassDeclaration',
  'FunctionDeclaration',
])

/** Types that have `undefined` among their values. */
const WITH_UNDEFINED = new Set(['TSUndefinedKeyword', 'TSUnknownKeyword', 'TSAnyKeyword'])

/** Of each type, class and function that an entry exports, the properties that refuse it: `Type.property`. */
export function refusingProperties(entry: string, files: readonly SourceFile[]): string[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  return exportsOf(entry, byName, new Set()).flatMap(({ name, node }) => {
    const declaration = isNode(node.declaration) ? node.declaration : node
    if (!DECLARATIONS.has(declaration.type)) return []
    return [...optionalProperties(declaration)]
      .filter(refuses)
      .map(({ key }) => `${name}.${identifier(key).join('')}`)
  })
}

/** Those of a type, or of parameters: what stands in a function's body is no application's to give. */
function* optionalProperties(node: Node): Generator<Node> {
  if (node.type === 'TSPropertySignature' && node.optional === true) yield node
  if (node.type === 'BlockStatement' || node.type === 'FunctionBody') return
  for (const value of Object.values(node)) {
    for (const child of [value].flat()) if (isNode(child)) yield* optionalProperties(child)
  }
}

function refuses({ typeAnnotation }: Node): boolean {
  const type = isNode(typeAnnotation) ? typeAnnotation.typeAnnotation : undefined
  if (!isNode(type)) return false
  const members = type.type === 'TSUnionType' ? nodesIn(type.types) : [type]
  return !members.some((member) => WITH_UNDEFINED.has(member.type))
}

/** The names of the optional properties that an interface of a file declares itself. @throws if there are none */
export function optionalNames(file: string, name: string, files: readonly SourceFile[]): readonly string[] {
  const nodes = [...nodesOf(files.find((one) => one.name === file)?.program ?? NOTHING)]
  const declaration = nodes.find(
    ({ type, id }) => type === 'TSInterfaceDeclaration' && identifier(id).join('') === name,
  )
  const members = nodesIn(isNode(declaration?.body) ? declaration.body.body : undefined)
  const names = members.filter(({ optional }) => optional === true).flatMap(({ key }) => identifier(key))
  if (names.length === 0) throw new Error(`${file} has no ${name} with optional properties`)
  return names
}

const NOTHING: Node = { type: 'Program', start: 0, end: 0 }
