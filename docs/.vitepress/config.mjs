// The guide as a site: `npm run docs` opens it. A link that leads nowhere fails the build.

import { dirname, join, normalize } from 'node:path'
import { sidebar } from './sidebar.mjs'

const REPOSITORY = 'https://github.com/token-socket/token-socket'

/** Links to files outside the site, such as `../examples/chat`, lead to the repository. */
function linkToRepository(markdown) {
  markdown.core.ruler.push('links-to-repository', ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : undefined
      const path = href && !/^([a-z]+:|#|\/)/i.test(href) ? pathOf(href, env.relativePath) : ''
      if (path.startsWith('..')) token.attrSet('href', `${REPOSITORY}/tree/main${path.slice('..'.length)}`)
    }
  })
}

/** A link's path from the folder of the site; it begins with `..` outside. */
function pathOf(href, page) {
  return normalize(join(dirname(page), href)).replaceAll('\\', '/')
}

/** The anchor of a heading, as GitHub makes it: the documents are read there, too. */
function anchorOf(heading) {
  const text = heading.toLowerCase().replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
  return text.trim().replace(/\s/g, '-')
}

export default {
  title: 'TokenSocket',
  description: 'Authenticated two-way sockets on an Express application.',
  lang: 'en',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  cleanUrls: true,
  // A page is up to date if the commit is.
  lastUpdated: false,
  // The guide's programs run on localhost.
  ignoreDeadLinks: 'localhostLinks',
  cacheDir: '../.cache/vitepress',
  outDir: '../.cache/docs',
  markdown: {
    config: linkToRepository,
    anchor: { slugify: anchorOf },
    languageAlias: { caddyfile: 'nginx', haproxy: 'nginx' },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  themeConfig: {
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
  },
}
