// The pages of the site, in the order in which a reader meets them. A test holds the list to the files.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const docs = join(import.meta.dirname, '..')

const page = (text, link) => ({ text, link: `/${link}` })

/** A page whose title is its first heading. @param {string} path without `.md` */
function titled(path) {
  const [, title = path] = /^# (.+)$/m.exec(readFileSync(join(docs, `${path}.md`), 'utf8')) ?? []
  return page(title, path)
}

/** The paths of a folder's documents, without `.md`. */
function documentsIn(folder) {
  const names = readdirSync(join(docs, folder), { recursive: true, encoding: 'utf8' })
  const documents = names.filter((name) => name.endsWith('.md') && name !== 'README.md')
  return documents.map((name) => join(folder, name.slice(0, -'.md'.length)).replaceAll('\\', '/')).sort()
}

export const sidebar = [
  {
    text: 'Guide',
    items: [
      page('Start', 'guide/start'),
      page('Sign-in and sign-out', 'guide/sign-in'),
      page('Calls both ways', 'guide/calls'),
      page('Channels: who may what', 'guide/channels'),
      page('Presence', 'guide/presence'),
      page('History and recovery', 'guide/history'),
      page('React, Vue, plain pages', 'guide/frontends'),
      page('Testing your application', 'guide/testing'),
      page('Deploying', 'guide/deploying'),
      page('Limits and sizes', 'guide/limits'),
      page('Security', 'SECURITY'),
      page('Troubleshooting', 'guide/troubleshooting'),
      page('Error and close codes', 'guide/errors'),
      page('A dashboard', 'guide/dashboard'),
      page('Benchmarks', 'guide/benchmarks'),
      page('When not to use it', 'guide/when-not-to-use-it'),
      page('Glossary', 'guide/glossary'),
    ],
  },
  {
    text: 'Coming from',
    items: [
      page('Socket.IO', 'coming-from/socket-io'),
      page('The legacy pair', 'MIGRATION'),
      page('Hotsock', 'HOTSOCK'),
      page('A generated WebSocket client', 'PDK'),
      page('An API gateway, or bare ws', 'coming-from/api-gateway'),
      page('Connections by id', 'CONNECTIONS'),
    ],
  },
  {
    text: 'Reference',
    items: [
      page('The server', 'reference/server'),
      page('The client', 'reference/client'),
      page('Channel rules and grants', 'GRANTS'),
      page('Authorisation', 'AUTHORISATION'),
      page('Contracts', 'CONTRACT'),
      page('Errors', 'ERRORS'),
      page('Limits', 'LIMITS'),
      page('States', 'STATES'),
      page('The wire', 'PROTOCOL'),
      page('Writing an engine', 'ENGINES'),
    ],
  },
  {
    text: 'Around it',
    items: [
      page('In an Express application', 'EXPRESS'),
      page('Many nodes', 'CLUSTER'),
      page('Proxies', 'PROXIES'),
      page('Bundlers', 'BUNDLERS'),
      page('Pages, applications, test tools', 'PAGES'),
      page('What it runs with', 'SUPPORT'),
      page('Every message of the log', 'TROUBLESHOOTING'),
      page('Chaos', 'CHAOS'),
    ],
  },
  {
    text: 'API',
    collapsed: true,
    items: documentsIn('reference/api').map(titled),
  },
  {
    text: 'Decisions',
    collapsed: true,
    items: [page('All of them', 'decisions/README'), ...documentsIn('decisions').map(titled)],
  },
]
