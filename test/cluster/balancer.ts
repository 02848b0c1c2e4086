/** nginx in front of nodes, with the configuration that docs/CLUSTER.md shows. */
import { readFile } from 'node:fs/promises'
import { ReverseProxy } from '../browser/reverse-proxy.js'

const NGINX_ARGS = ['-e', 'stderr', '-p', '.', '-c', 'proxy.conf']

/** @param ports of the nodes, which need not listen yet */
export async function startBalancer(ports: readonly number[]): Promise<ReverseProxy> {
  const document = await readFile(new URL('../../docs/CLUSTER.md', import.meta.url), 'utf8')
  const [, block = ''] = /```nginx\n(.*?)```/s.exec(document) ?? []
  const [shownNode = ''] = /server 10\.0\.0\.2.*;/.exec(block) ?? []
  const nodes = ports.map((port) => shownNode.replace('10.0.0.2:3000', `127.0.0.1:${port}`))
  const shown = block.replace(/( *server 10\..*\n)+/, `${nodes.join('\n')}\n`)
  const configure = (own: number) => `
    daemon off;
    master_process off;
    pid nginx.pid;
    error_log stderr crit;
    events { worker_connections 20000; }
    worker_rlimit_nofile 50000;
    http {
      access_log off;
      client_body_temp_path bodies;
      proxy_temp_path answers;
      fastcgi_temp_path unused;
      uwsgi_temp_path unused;
      scgi_temp_path unused;
      ${shown.replace('listen 80;', `listen 127.0.0.1:${own};`)}
    }`
  return ReverseProxy.start({ name: 'nginx', variable: 'NGINX', args: NGINX_ARGS, configure })
}
