/** Finds the sentences of comments that are longer than a reader takes in at once. */
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

/** One line of text for each sentence that is too long. */
export function longSentences(file: Pick<SourceFile, 'name' | 'text'>): string[] {
  return commentTexts(file).flatMap(({ line, text }) =>
    sentencesOf(text).flatMap((sentence) => {
      const words = sentence.split(' ').filter((word) => /\w/.test(word)).length
      return words > SENTENCE ? [`${file.name}:${line} has ${words} words: ${sentence}`] : []
    }),
  )
}
