/** Finds the relative links of Markdown documents that lead nowhere. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from './source-file.js'

/** The documents of the root folder. */
function rootDocuments(): string[] {
  return readdirSync(root).filter((name) => name.endsWith('.md'))
}

/** The Markdown documents, as paths from the root. Those of `docs/reference/api` are generated. */
export function documents(): string[] {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`)
  const examples = readdirSync(join(root, 'examples')).map((name) => `examples/${name}/README.md`)
  return [...rootDocuments(), ...packages, ...examples, ...markdownIn('docs')].filter((path) =>
    existsSync(join(root, path)),
  )
}

function markdownIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return paths
    .filter((path) => path.endsWith('.md') && !path.startsWith('node_modules'))
    .map((path) => join(folder, path))
    .sort()
}

/** The links of a document, by its path from the root, that lead to no file or to no heading. */
export function brokenLinks(path: string, text: string): string[] {
  return linksIn(text)
    .filter((link) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(link))
    .filter((link) => !resolves(path, text, link))
    .map((link) => `${path} links to ${link}`)
}

function resolves(path: string, text: string, link: string): boolean {
  const [file = '', heading] = decodeURI(link).split('#')
  const target = file === '' ? join(root, path) : join(root, dirname(path), file)
  if (relative(root, target).startsWith('..') || (file !== '' && !existsSync(target))) return false
  if (heading === undefined || (file !== '' && !isMarkdown(target))) return true
  return headingsIn(file === '' ? text : readFileSync(target, 'utf8')).includes(heading)
}

function isMarkdown(path: string): boolean {
  return path.endsWith('.md') && statSync(path).isFile()
}

/** The targets of inline links, images and link definitions. */
export function linksIn(text: string): string[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, '')
  const inline = prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^)]*["'])?\s*\)/g)
  const definitions = prose.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/gm)
  return [...inline, ...definitions].map(([, link = '']) => link)
}

/** The anchors of a document's headings and of its own `<a id>` tags, as GitHub makes them. */
export function headingsIn(text: string): string[] {
  const prose = withoutFences(text)
  const seen = new Map<string, number>()
  const headings = [...prose.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => {
    const slug = slugOf(heading)
    const count = seen.get(slug) ?? 0
    seen.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${count}`
  })
  const anchors = [...prose.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)].map(([, id = '']) => id)
  return [...headings, ...anchors]
}

function slugOf(heading: string): string {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
  return text.replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '').replace(/\s/g, '-')
}

function withoutFences(text: string): string {
  return text.replace(/^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ {0,3}\1[^\n]*$/gm, '')
}
