/** The proxies of docs/PROXIES.md, run with the document's own texts at the ports of a test. */
import { existsSync, readFileSync } from 'node:fs'
import { ReverseProxy } from '../browser/reverse-proxy.js'

const DOCUMENT = readFileSync(new URL('../../docs/PROXIES.md', import.meta.url), 'utf8')

/** Where applications are below, in the document. */
export const PATH = '/app'

/** What becomes of a path that the application is below. */
export type PathRule = 'at the root' | 'takes it away' | 'passes it on'

/** The text of a block of code. @param language as the document names it */
function block(language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(DOCUMENT) ?? []
  if (text === undefined) throw new Error(`docs/PROXIES.md has no ${language}`)
  return text
}

/** What the document has an application do. */
export function applicationCode(): string {
  const section = DOCUMENT.slice(0, DOCUMENT.indexOf('## nginx'))
  return [...section.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code).join('')
}

/** The row of the table of sub-paths: the texts that it has for a rule. */
function rowOf(name: string, rule: Exclude<PathRule, 'at the root'>): string[] {
  const [, away = '', on = ''] = new RegExp(`^\\| ${name} \\| (.*?) \\| (.*?) \\|$`, 'm').exec(DOCUMENT) ?? []
  return [...(rule === 'takes it away' ? away : on).matchAll(/`([^`]*)`/g)].map(([, text]) => text ?? '')
}

/** Puts the test's addresses in. @throws Error where the document does not have those that it should */
function at(text: string, own: readonly [string, string], site: number): string {
  if (!text.includes(own[0]) || !text.includes('127.0.0.1:3000')) throw new Error(`no addresses in ${text}`)
  return text.replace(...own).replaceAll('127.0.0.1:3000', `127.0.0.1:${site}`)
}

const NGINX_FRAME = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path bodies;
  proxy_temp_path answers;
  fastcgi_temp_path unused;
  uwsgi_temp_path unused;
  scgi_temp_path unused;
`

function nginx(own: number, site: number, rule: PathRule): string {
  const [location = '', pass = ''] = rule === 'at the root' ? [] : rowOf('nginx', rule)
  const text = block('nginx')
  const placed =
    rule === 'at the root'
      ? text
      : text.replace('location / {', location).replace('proxy_pass http://127.0.0.1:3000;', pass)
  return `${NGINX_FRAME}${at(placed, ['listen 80;', `listen 127.0.0.1:${own};`], site)}}\n`
}

function haproxy(own: number, site: number, rule: PathRule): string {
  const lines = rule === 'takes it away' ? rowOf('HAProxy', rule)[0] : ''
  const text = block('haproxy').replace('backend site\n', `backend site\n  ${lines}\n`)
  return at(text, ['bind :80', `bind 127.0.0.1:${own}`], site)
}

const APACHE_MODULES = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/libexec/apache2']

/** Those that Debian's Apache does not have built in, or other systems' do not. */
const MODULES = ['mpm_event', 'authz_core', 'unixd', 'proxy', 'proxy_http', 'headers', 'log_config']

function apache(own: number, site: number, rule: PathRule): string {
  const folder = APACHE_MODULES.find((path) => existsSync(path)) ?? ''
  const modules = MODULES.filter((name) => existsSync(`${folder}/mod_${name}.so`))
  const lines = modules.map((name) => `LoadModule ${name}_module ${folder}/mod_${name}.so`)
  if (process.getuid?.() === 0) lines.push('User #65534', 'Group #65534')
  const pass = /ProxyPass "\/".*/
  const text = block('apache')
  const placed = rule === 'at the root' ? text : text.replace(pass, () => rowOf('Apache', rule)[0] ?? '')
  const host = at(placed, ['*:80', `127.0.0.1:${own}`], site)
  return `${lines.join('\n')}
ServerName localhost
DefaultRuntimeDir .
PidFile apache.pid
ErrorLog errors.log
Listen 127.0.0.1:${own}
${host}`
}

const NGINX_ARGS = ['-e', 'stderr', '-p', '.', '-c', 'proxy.conf']

/** By its name, starts a proxy before a site. */
export const documentedProxies: Readonly<
  Record<string, (site: number, rule: PathRule) => Promise<ReverseProxy>>
> = {
  nginx: (site, rule) =>
    ReverseProxy.start({
      name: 'nginx',
      variable: 'NGINX',
      args: NGINX_ARGS,
      configure: (own) => nginx(own, site, rule),
    }),
  HAProxy: (site, rule) =>
    ReverseProxy.start({
      name: 'haproxy',
      variable: 'HAPROXY',
      args: ['-db', '-f', 'proxy.conf'],
      configure: (own) => haproxy(own, site, rule),
    }),
  Apache: (site, rule) =>
    ReverseProxy.start({
      name: 'apache2',
      variable: 'APACHE',
      args: ['-D', 'FOREGROUND', '-d', '.', '-f', 'proxy.conf'],
      configure: (own) => apache(own, site, rule),
    }),
}
