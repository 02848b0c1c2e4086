// Starts a Redis, nodes, and a proxy in front of them, and starts again whatever of it dies.
// `--help` says what else it does.

import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { KeptProcess, startProgram } from './kept-process.js'
import { proxies } from './proxies.js'

const HELP = `npm run cluster -- [options]

  --nodes N          how many nodes there are behind the proxy (2)
  --proxy NAME       nginx or haproxy (nginx)
  --workers N        no proxy: that many processes of node:cluster on one port

PORT is the page's port (3000, or the next free one). SIGHUP replaces one node after the other, as a deploy does.
`

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '2' },
    proxy: { type: 'string', default: 'nginx' },
    workers: { type: 'string' },
    help: { type: 'boolean' },
  },
})

/** The processes, in the order of their start. */
const kept = []
/** Those among them that are nodes. */
const nodes = []
/** Counts the changes of their states. */
let version = 0
const secret = randomBytes(32).toString('base64url')
let folder
let isStopping = false

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

function keep(process) {
  kept.push(process)
  return process.run()
}

/** As `keep`, for a node: when one changes its state, all nodes receive the states of all. */
function keepNode(name, start) {
  const node = new KeptProcess(name, start)
  nodes.push(node.on('state', tellNodes))
  return keep(node)
}

function tellNodes() {
  const states = nodes.map(({ name, state, since }) => ({ name, state, since }))
  version += 1
  for (const node of nodes) node.send({ version, states })
}

/** It keeps what it has acknowledged, whatever happens to it. */
async function startRedis() {
  const port = await freePort()
  const program = process.env.REDIS_SERVER || 'redis-server'
  const settings = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always']
  const start = () => startProgram(program, [...settings, ...durable], folder)
  await keep(new KeptProcess('Redis', start, port))
  return `redis://127.0.0.1:${port}`
}

async function startNodes(port, redis) {
  const ports = await Promise.all(Array.from({ length: count('nodes') }, freePort))
  const started = ports.map((own, index) => {
    const env = {
      ...process.env,
      NODE_NAME: `node ${index + 1}`,
      REDIS_URL: redis,
      TOKEN_SECRET: secret,
      PORT: own,
    }
    return keepNode(`node ${index + 1}`, () => fork(join(import.meta.dirname, 'single.js'), { env }))
  })
  await Promise.all(started)
  const proxy = proxies[values.proxy]
  await proxy.configure(folder, { port, nodes: ports })
  const startProxy = () => startProgram(proxy.program, proxy.args, folder)
  await keep(new KeptProcess(values.proxy, startProxy, port))
}

function startWorkers(port, redis) {
  cluster.setupPrimary({ exec: join(import.meta.dirname, 'worker.js') })
  const common = {
    REDIS_URL: redis,
    TOKEN_SECRET: secret,
    PORT: port,
    FOLDER: folder,
    WORKERS: count('workers'),
  }
  const workers = Array.from({ length: count('workers') }, (_, index) => {
    const env = { ...common, INDEX: index, NODE_NAME: `worker ${index + 1}` }
    return keepNode(`worker ${index + 1}`, () => cluster.fork(env).process)
  })
  return Promise.all(workers)
}

function count(option) {
  const number = Number(values[option])
  if (Number.isInteger(number) && number > 0 && number <= 16) return number
  throw new Error(`--${option} has to be a number from 1 to 16, not ${values[option]}`)
}

function choosePort({ PORT: wanted } = process.env) {
  const port = Number(wanted || 0)
  if (port === 0) return freePort()
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new Error(`PORT has to be a number from 1 to 65535, not ${wanted}`)
}

async function stop() {
  // npm and terminals send signals to every process, and so twice.
  if (isStopping) return
  isStopping = true
  // The proxy first, so that it sends no client to a node that ends.
  for (const one of kept.toReversed()) await one.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
  process.exit()
}

async function start() {
  if (values.help) return void console.log(HELP)
  if (!proxies[values.proxy])
    throw new Error(`--proxy is ${Object.keys(proxies).join(' or ')}, not ${values.proxy}`)
  folder = await mkdtemp(join(tmpdir(), 'token-socket-cluster-'))
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const port = await choosePort()
  const redis = await startRedis()
  await (values.workers ? startWorkers(port, redis) : startNodes(port, redis))
  let deploy = Promise.resolve()
  process.on('SIGHUP', () => {
    deploy = deploy.then(async () => {
      for (const node of nodes) await node.replace()
    })
  })
  console.log(`The cluster is at http://localhost:${port}/`)
}

try {
  await start()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
  await stop()
}
