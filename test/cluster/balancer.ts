/** nginx in front of nodes, with the configuration that people are given. */
import { nginxConfig } from '../../examples/cluster/proxies.js'
import { ReverseProxy } from '../browser/reverse-proxy.js'

const NGINX_ARGS = ['-e', 'stderr', '-p', '.', '-c', 'proxy.conf']

/** @param nodes their ports, at which they need not listen yet */
export function startBalancer(nodes: readonly number[]): Promise<ReverseProxy> {
  const configure = (port: number) => nginxConfig({ port, nodes })
  return ReverseProxy.start({ name: 'nginx', variable: 'NGINX', args: NGINX_ARGS, configure })
}
