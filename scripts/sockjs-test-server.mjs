// `npm run sockjs-test-server`: the services that SockJS's published protocol suite is run against, on port 8081 or PORT,
// with every origin let in. They are TokenSocket's own transports, from source.
//
//   SOCKJS_URL=http://localhost:8081 python2 sockjs-protocol-0.3.3.py
//
// docs/PROTOCOL.md names the tests of it that fail by choice; test/conformance/published-suite.test.ts keeps them.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { mountServices, services } from '../test/conformance/services.ts'

const HOST = 'localhost'
const PORT = Number(process.env.PORT ?? 8081)

/** Warnings and errors; a line for each request would only hide them. */
const logger = {
  debug: () => {},
  info: () => {},
  warn: (details, message) => console.warn(message, details),
  error: (details, message) => console.error(message, details),
}

const server = createServer((_request, response) => {
  response.writeHead(404, { 'Content-Type': 'text/plain' })
  response.end(`Try ${Object.keys(services).join(', ')}\n`)
})
mountServices(server, { logger })
server.listen(PORT, HOST)
try {
  await once(server, 'listening')
  for (const path of Object.keys(services)) console.log(`http://${HOST}:${server.address().port}${path}`)
  console.log('Ctrl-C ends them.')
} catch (error) {
  console.error(`Port ${PORT} cannot be had (${error.code}). Set PORT to another one.`)
  process.exitCode = 1
}
