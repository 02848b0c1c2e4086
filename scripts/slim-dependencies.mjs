// What dependencies bring into the script-tag files that browsers have already, or that nothing there calls, and what takes
// its place. Every transport of SockJS that a browser of today can run stays; test/browser/transports proves each. A source
// that is not what it was when this was written fails the build.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './gates.mjs'

/** Files of `sockjs-client/lib` that become others, by their path there. */
const FILES = {
  // ES5, for browsers without it.
  'shims.js': '',
  // What the page inside an iframe runs: the server's iframe page loads SockJS's own script.
  'iframe-bootstrap.js': 'module.exports = () => {}',
  // How to ask for `/info` without CORS; every browser has it.
  'info-iframe.js': 'exports.enabled = () => false',
  'transport/sender/xdr.js': '',
  'transport/sender/xhr-fake.js': '',
  // Internet Explorer's `XDomainRequest`: the list of transports passes over what is none.
  'transport/xdr-streaming.js': 'module.exports = null',
  'transport/xdr-polling.js': 'module.exports = null',
  'utils/browser-crypto.js':
    'exports.randomBytes = (length) => crypto.getRandomValues(new Uint8Array(length))',
  // JSON has escaped lone surrogates since ES2019; no browser since changes any other character on its way.
  'utils/escape.js': 'exports.quote = (text) => JSON.stringify(text)',
  // A page that listens for `unload` is not kept for when people go back. The client closes its sockets on `pagehide`.
  'utils/event.js': `
exports.attachEvent = (event, listener) => addEventListener(event, listener)
exports.detachEvent = (event, listener) => removeEventListener(event, listener)
exports.unloadAdd = exports.unloadDel = () => {}`,
  'utils/log.js': 'module.exports = console',
}

/** Packages that it uses, each in the few lines that it uses of it. */
const PACKAGES = {
  inherits: 'module.exports = (child, parent) => Object.setPrototypeOf(child.prototype, parent.prototype)',
  // A text that is no URL has no parts.
  'url-parse': `
module.exports = function (text) {
  let url
  try {
    url = new URL(text, location.href)
  } catch {
    return {}
  }
  const { protocol, host, hostname, port, pathname, search, hash } = url
  const set = (_, path) => {
    parts.href = protocol + '//' + host + path + search
  }
  const parts = { protocol, host, hostname, port, pathname, hash, href: url.href, set }
  return parts
}`,
}

/** Parts of other files that are taken out: calls of a `debug` that does nothing, and what only Internet Explorer ran. */
const CUTS = [
  [/^ *debug\(.*\);\n/gm],
  [/^var debug = function\(\) \{\};\nif \(process\.env[^}]*\}\n/gm],
  [
    /^\/\* eslint no-undef: "off", new-cap: "off" \*\/\n, createHtmlfile: [\s\S]*?\n {2}\}\n/m,
    'utils/iframe.js',
  ],
  [/^HtmlfileReceiver\.htmlfileEnabled = false;[\s\S]*?\n\}\n/m, 'transport/receiver/htmlfile.js'],
  [/^ {2}\/\/ IE9 fires 'error' [\s\S]*?\n {2}\};\n/m, 'transport/receiver/jsonp.js'],
  [/^ {2}\/\/ IE: event\/htmlFor\/onclick trick\.[\s\S]*?\n {2}\}\n/m, 'transport/receiver/jsonp.js'],
  [/^\/\/ override XMLHttpRequest for IE6\/7\n[\s\S]*?\n\}\n/m, 'transport/browser/abstract-xhr.js'],
]

const SOURCE = /[\\/]sockjs-client[\\/]lib[\\/](.*\.js)$/

/** For esbuild: SockJS's sources, without what they bring for others. */
export const slimSockJS = {
  name: 'SockJS without what browsers have',
  setup({ onLoad, onResolve }) {
    const filter = new RegExp(`^(${Object.keys(PACKAGES).join('|')})$`)
    onResolve({ filter }, ({ path, importer }) =>
      SOURCE.test(importer) ? { path, namespace: 'slim-sockjs' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'slim-sockjs' }, ({ path }) => ({ contents: PACKAGES[path] }))
    onLoad({ filter: SOURCE }, ({ path }) => {
      const name = SOURCE.exec(path)[1].replaceAll('\\', '/')
      return name in FILES ? { contents: FILES[name] } : cut(name, readFileSync(path, 'utf8'))
    })
  },
}

function cut(name, text) {
  let contents = text
  for (const [part, only] of CUTS) {
    if (only !== undefined && only !== name) continue
    const shorter = contents.replace(part, '')
    if (only !== undefined && shorter === contents) return { errors: [{ text: `${name} has no ${part}` }] }
    contents = shorter
  }
  return { contents }
}

/** For esbuild: `slim-emitter` for EventEmitter3, as long as that is the one that it was written after. */
export const slimEmitter = {
  name: 'EventEmitter3 in fewer bytes',
  setup({ onResolve }) {
    const path = join(root, 'scripts', 'slim-emitter.mjs')
    const original = readFileSync(join(root, 'node_modules', 'eventemitter3', 'index.js'))
    const hash = createHash('sha256').update(original).digest('hex')
    onResolve({ filter: /^eventemitter3$/ }, () =>
      hash === EMITTER ? { path } : { errors: [{ text: 'it is another EventEmitter3' }] },
    )
  },
}

/** The SHA-256 hash of its source. */
const EMITTER = '1560f251de5d28d2c15ff070215d2c5c0fa06f1a92e8d6522bbee37e06d2a6b5'

/** For esbuild: the files of ours that have a short form in their place, with the same exports. */
export const shortForms = {
  name: 'short forms of our own files',
  setup({ onResolve }) {
    const filter =
      /^\.{1,2}\/(.+\/)?(abort-with|call-around|call-context|call-hooks|call-options|call-site|error-texts|failure-text|on-abort|page-fetch|page-location|parse-url|plain-fields|reason-texts|server-fields|timeout)\.js$/
    onResolve({ filter }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/([^/]+)\.js$/, 'short-$1.ts')),
    }))
  },
}

/**
 * For esbuild: private members as `_own0`, `_own1`, …, counted in each file in the order in which the constructor sets
 * them, which get the names of `PRIVATE_NAMES`: classes share those, and need no declarations. The classes whose objects
 * applications hold keep theirs. A class that extends another one would share its names, and is refused.
 */
export const plainPrivates = {
  name: 'private members with shared names',
  setup({ onLoad }) {
    onLoad({ filter: OWN_SOURCE }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (HELD.test(path)) return { loader: 'ts', contents: text }
      const heir = text.search(PRIVATE) >= 0 && text.match(EXTENDS)
      if (heir)
        return { errors: [{ text: `${heir[1]} extends ${heir[2]}, and their private members would clash` }] }
      const setFirst = [INITIALIZED, ASSIGNED].flatMap((pattern) =>
        [...text.matchAll(pattern)].map(([, name]) => name),
      )
      const names = [...new Set([...setFirst, ...(text.match(PRIVATE) ?? [])])]
      return { loader: 'ts', contents: text.replace(PRIVATE, (name) => `_own${names.indexOf(name)}`) }
    })
  },
}

const OWN_SOURCE = /[\\/](client|protocol)[\\/]src[\\/].*\.ts$/
const HELD = /[\\/](channel|client|emitter)\.ts$/
/** Not `'#sockjs'`, which is imported. */
const PRIVATE = /(?<!['"\w])#[a-z]\w*/g
/** A class with one of ours as its base; those that are built in have no such members. */
const EXTENDS = /^(?:export )?(?:abstract )?class (\w+).* extends (?!Error\b)([\w.]+)/m
/** A field with a value, and one that gets a parameter. */
const INITIALIZED = /^ {2}(?:readonly )?(#\w+)[^=\n(]* = /gm
const ASSIGNED = /this\.(#\w+) = \w+\n/g

/**
 * What `_own0` and the next are called, for esbuild's `mangleCache`: as terser names variables, so that the parameters of a
 * constructor and the fields that they set often have the same names.
 */
export const PRIVATE_NAMES = Object.fromEntries(
  [...'teisnrohacul'].map((letter, index) => [`_own${index}`, letter]),
)
