/** Finds switches over the type of a message that a new type passes in silence. */
import { isNode, lineAt, type Node, nodesOf, type SourceFile } from './source-file.js'

/** Return types that tell the compiler nothing about cases that are missing. */
const ANYTHING = /^:\s*(Promise<)?(void|unknown|undefined|null)\b/

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

/** The object whose `type` a switch looks at: `message` of `switch (message.type)`. */
function subjectOf({ discriminant }: Node): string | undefined {
  if (!isNode(discriminant) || discriminant.type !== 'MemberExpression') return undefined
  const { object, property } = discriminant
  if (!isNode(object) || !isNode(property) || property.name !== 'type') return undefined
  return typeof object.name === 'string' ? object.name : undefined
}

function defaultOf({ cases }: Node): Node | undefined {
  return Array.isArray(cases) ? cases.filter(isNode).find(({ test }) => test === null) : undefined
}

/** Whether a `default` looks at the subject once more: its type there is what the cases leave. */
function looksAt(branch: Node, subject: string): boolean {
  return [...nodesOf(branch)].some(({ type, name }) => type === 'Identifier' && name === subject)
}

/** Whether the compiler asks for a value in each case. */
function returnsValue(file: SourceFile, node: Node): boolean {
  const around = [...nodesOf(file.program)].filter(
    ({ type, start, end }) => functions.has(type) && start <= node.start && node.end <= end,
  )
  const returnType = around.at(-1)?.returnType
  return isNode(returnType) && !ANYTHING.test(file.text.slice(returnType.start, returnType.end))
}

/** One line of text for each switch that compiles with a type of message that it does not know. */
export function openSwitches(file: SourceFile): string[] {
  return [...nodesOf(file.program)].flatMap((node) => {
    const subject = node.type === 'SwitchStatement' ? subjectOf(node) : undefined
    if (subject === undefined) return []
    const branch = defaultOf(node)
    const isClosed = branch ? looksAt(branch, subject) : returnsValue(file, node)
    return isClosed ? [] : [`${file.name}:${lineAt(file.text, node.start)} switches over ${subject}.type`]
  })
}
