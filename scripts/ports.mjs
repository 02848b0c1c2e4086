// Ports on this machine. Node's own modules only: commands load it on a fresh clone.

import { connect, createServer } from 'node:net'

const FIRST_PORT = 3000

/** The port that PORT asks for, or the first free one from 3000 on; `undefined` where PORT is taken. */
export async function choosePort() {
  const wanted = Number(process.env.PORT)
  if (process.env.PORT && !(wanted > 0 && wanted < 65_536)) {
    console.error(`PORT has to be a number from 1 to 65535, not ${process.env.PORT}`)
    process.exit(1)
  }
  if (wanted) return (await isFree(wanted)) ? wanted : undefined
  let port = FIRST_PORT
  while (!(await isFree(port))) port += 1
  return port
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}

/** Whether a server listens on a port of this machine. */
export function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => resolve(true))
    socket.once('error', () => resolve(false)).once('connect', () => socket.end())
  })
}
