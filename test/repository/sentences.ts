/** Finds the sentences of comments and documents that are longer than a reader takes in at once. */
import type { SourceFile } from './source-file.js'

/** Words of a sentence, at most. */
export const SENTENCE = 25

/** The comments of a file as text, each without its marks, with the line on which it begins. */
export function commentTexts({ text }: Pick<SourceFile, 'text'>): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  const lines = text.split('\n')
  let block: { line: number; text: string } | undefined
  for (const [index, line] of lines.entries()) {
    const [, part] = /^\s*(?:\/\*\*?|\*\/|\*|\/\/+) ?(.*?)\s*(?:\*\/)?$/.exec(line) ?? []
    if (part === undefined) block = undefined
    else if (block) block.text += `\n${part}`
    else {
      block = { line: index + 1, text: part }
      found.push(block)
    }
  }
  return found
}

/** The sentences of a comment, and its tags' texts. Code in backquotes, links and examples count as one word. */
export function sentencesOf(comment: string): string[] {
  const prose = comment
    .replace(/^ *@example[\s\S]*?(?=^ *@|$(?![\s\S]))/gm, '')
    .replace(/```[\s\S]*?```/g, '. ')
    .replace(/`[^`]*`/g, 'code')
    .replace(/\{@link [^}]*\}/g, 'link')
    .replace(/^ *(?:[-*]|\d+\.) /gm, '. ')
    .replace(/^ *\|.*$/gm, '. ')
    .replace(/\n *\n/g, '. ')
    .replace(/ ?@\w+/g, '. ')
    .replace(/\b(e\.g|i\.e|etc)\./g, '$1')
  return prose
    .split(/[.!?:;](?=\s|$)/)
    .map((sentence) => sentence.replace(/\s+/g, ' ').replace(/[?!]$/, '').trim())
    .filter((sentence) => sentence !== '')
}

/** The paragraphs of a Markdown text, with their first lines: no code, tables, headings and HTML comments. */
export function paragraphTexts({ text }: Pick<SourceFile, 'text'>): { line: number; text: string }[] {
  const emptied = (part: string) => part.replace(/[^\n]/g, '')
  const prose = text
    .replace(/^ *(```+)[\s\S]*?^ *\1$/gm, emptied)
    .replace(/<!--[\s\S]*?-->/g, emptied)
    .replace(/^(?:\||#).*$/gm, emptied)
    .replace(/\[([^\]]*)\]\([^)\s]*\)/g, '$1')
  const found: { line: number; text: string }[] = []
  let isOpen = false
  for (const [index, line] of prose.split('\n').entries()) {
    const last = found.at(-1)
    if (isOpen && last) last.text += `\n${line}`
    else if (line.trim() !== '') found.push({ line: index + 1, text: line })
    isOpen = line.trim() !== ''
  }
  return found
}

/** One line of text for each sentence of comments that is too long. */
export function longSentences(file: Pick<SourceFile, 'name' | 'text'>): string[] {
  return longOf(file.name, commentTexts(file))
}

/** One line of text for each sentence of a document that is too long. */
export function longDocumentSentences(file: Pick<SourceFile, 'name' | 'text'>): string[] {
  return longOf(file.name, paragraphTexts(file))
}

function longOf(name: string, texts: readonly { line: number; text: string }[]): string[] {
  return texts.flatMap(({ line, text }) =>
    sentencesOf(text).flatMap((sentence) => {
      const words = sentence.split(' ').filter((word) => /\w/.test(word)).length
      return words > SENTENCE ? [`${name}:${line} has ${words} words: ${sentence}`] : []
    }),
  )
}
