/** Real nginx and HAProxy in front of a site, which treat WebSockets as they are told. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../ports.js'

/** What becomes of a WebSocket's upgrade. */
export type UpgradeRule =
  | 'passes'
  /** Answered with an error. */
  | 'refuses'
  /** Never answered. */
  | 'swallows'
  /** Passed on without its `Upgrade` header, as proxies do that know only plain HTTP. */
  | 'strips'
  /** nginx only: the same, and answers are held back until they are complete. */
  | 'holds back'

/** Ports on the loopback interface. */
interface Ports {
  readonly own: number
  readonly site: number
  /** Something that never answers. */
  readonly hole: number
}

/** How often another port is tried: between finding a free one and using it somebody else may take it. */
const TRIES = 5

/** nginx as a reverse proxy. */
export function startNginx(rule: UpgradeRule, ports: Omit<Ports, 'own'>): Promise<ReverseProxy> {
  const configure = (own: number) => nginxConfiguration(rule, { ...ports, own })
  return ReverseProxy.start({ name: 'nginx', variable: 'NGINX', args: NGINX_ARGS, configure })
}

/** HAProxy as a reverse proxy. It holds nothing back. */
export function startHAProxy(
  rule: Exclude<UpgradeRule, 'holds back'>,
  ports: Omit<Ports, 'own'>,
): Promise<ReverseProxy> {
  const configure = (own: number) => haproxyConfiguration(rule, { ...ports, own })
  return ReverseProxy.start({ name: 'haproxy', variable: 'HAPROXY', args: ['-db', '-f', FILE], configure })
}

interface Program {
  readonly name: string
  /** The environment variable that says where it is, if it is not on the PATH. */
  readonly variable: string
  readonly args: readonly string[]
  /** @returns the contents of {@link FILE} */
  configure(own: number): string
}

/** The configuration's name, in a folder of its own. */
const FILE = 'proxy.conf'

/** It takes paths as relative to its prefix, which it is told here is the folder that it runs in. */
const NGINX_ARGS = ['-e', 'stderr', '-p', '.', '-c', FILE]

/** A program that a test starts and stops: nothing of it stays. */
export class ReverseProxy {
  readonly #port: number
  readonly #process: ChildProcess
  readonly #folder: string

  /** @throws Error when the program is missing or does not start */
  static async start(program: Program): Promise<ReverseProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'token-socket-proxy-'))
    try {
      return await ReverseProxy.#try(program, folder, TRIES)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  static async #try(program: Program, folder: string, tries: number): Promise<ReverseProxy> {
    const port = await freePort()
    await writeFile(join(folder, FILE), program.configure(port))
    // nginx takes a variable of its own name for a list of sockets that it inherits.
    const { NGINX: _, ...env } = process.env
    const child = spawn(process.env[program.variable] ?? program.name, program.args, {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    if (await isReady(program, child, port)) return new ReverseProxy(port, child, folder)
    if (tries > 1) return ReverseProxy.#try(program, folder, tries - 1)
    throw new Error(`${program.name} did not start: ${errors}`)
  }

  private constructor(port: number, process: ChildProcess, folder: string) {
    this.#port = port
    this.#process = process
    this.#folder = folder
  }

  /** The address of the page behind it. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async close(): Promise<void> {
    if (isRunning(this.#process)) {
      const exited = once(this.#process, 'exit')
      this.#process.kill()
      await exited
    }
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** @returns whether it listens; `false` when it has ended instead */
async function isReady({ name, variable }: Program, child: ChildProcess, port: number): Promise<boolean> {
  let failure: string | undefined
  child.once('error', ({ message }) => {
    failure = `${name} can't be started (${message}): install it, or set ${variable} to its executable`
  })
  let listening = false
  while (!listening && failure === undefined && isRunning(child)) listening = await listens(port)
  if (failure !== undefined) throw new Error(failure)
  return listening
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .on('connect', () => resolve(true))
      .on('error', () => resolve(false))
      .on('connect', () => socket.destroy())
  })
}

const NGINX_LINES: Readonly<Record<UpgradeRule, (hole: number) => string>> = {
  passes: () => `
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $upgrading;`,
  refuses: () => 'if ($http_upgrade) { return 403; }',
  swallows: (hole) => `if ($http_upgrade) { proxy_pass http://127.0.0.1:${hole}; }`,
  // It does so unless it is told otherwise.
  strips: () => '',
  'holds back': () => 'proxy_ignore_headers X-Accel-Buffering;',
}

function nginxConfiguration(rule: UpgradeRule, { own, site, hole }: Ports): string {
  return `
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
  map $http_upgrade $upgrading { '' ''; default upgrade; }
  server {
    listen 127.0.0.1:${own};
    location / {
      proxy_set_header Host $http_host;
      proxy_pass http://127.0.0.1:${site};
      ${NGINX_LINES[rule](hole)}
    }
  }
}
`
}

const HAPROXY_LINES: Readonly<Record<Exclude<UpgradeRule, 'holds back'>, string>> = {
  passes: '',
  refuses: 'http-request deny deny_status 400 if { req.hdr(Upgrade) -m found }',
  swallows: 'use_backend hole if { req.hdr(Upgrade) -m found }',
  strips: 'http-request del-header Upgrade',
}

function haproxyConfiguration(rule: keyof typeof HAPROXY_LINES, { own, site, hole }: Ports): string {
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend page
  bind 127.0.0.1:${own}
  ${HAPROXY_LINES[rule]}
  default_backend site
backend site
  server site 127.0.0.1:${site}
backend hole
  server hole 127.0.0.1:${hole}
`
}
