// The proxies, with the configuration files of this folder, put to use at other addresses than
// those in the files.

import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * @typedef {{ port: number, nodes: readonly number[] }} Addresses its own port, and those of the
 *   nodes
 */

/** What an nginx needs besides, to run from a folder without being installed as a service. */
const NGINX_FRAME = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 50000;
events { worker_connections 20000; }
http {
  access_log off;
  client_body_temp_path bodies;
  proxy_temp_path answers;
  fastcgi_temp_path unused;
  uwsgi_temp_path unused;
  scgi_temp_path unused;
`

/** The whole configuration of an nginx that runs from a folder. @param {Addresses} addresses */
export function nginxConfig({ port, nodes }) {
  const written = withNodes(read('nginx.conf'), nodes)
  return `${NGINX_FRAME}${written.replace('listen 8080;', `listen ${port};`)}}\n`
}

/** @param {Addresses} addresses */
export function haproxyConfig({ port, nodes }) {
  return withNodes(read('haproxy.cfg'), nodes).replace('bind :8080', `bind :${port}`)
}

/** How to run each: its name, the environment variable that says where it is, and its arguments. */
export const proxies = {
  nginx: {
    program: process.env.NGINX || 'nginx',
    args: ['-e', 'stderr', '-p', '.', '-c', 'nginx.conf'],
    configure: (folder, addresses) => writeFile(join(folder, 'nginx.conf'), nginxConfig(addresses)),
  },
  haproxy: {
    program: process.env.HAPROXY || 'haproxy',
    args: ['-db', '-q', '-f', 'haproxy.cfg'],
    configure: (folder, addresses) => writeFile(join(folder, 'haproxy.cfg'), haproxyConfig(addresses)),
  },
}

function read(file) {
  return readFileSync(join(import.meta.dirname, file), 'utf8')
}

/** Has as many lines for nodes as there are nodes, each like the first of the file. */
function withNodes(text, nodes) {
  return text.replace(/^( *server.*)127\.0\.0\.1:\d+(.*\n)(?: *server.*127.*\n)*/gm, (_, before, after) =>
    nodes
      .map((port, index) => `${before}127.0.0.1:${port}${after}`.replace('node1', `node${index + 1}`))
      .join(''),
  )
}
