/** A process that claims an id on an lmdb engine, says on its output what came of it, and waits to be killed. */
import { writeSync } from 'node:fs'
import { LmdbEngine } from '@token-socket/lmdb'

const [path = '', id = ''] = process.argv.slice(2)
const { tickets } = new LmdbEngine({ path })

writeSync(1, `${await tickets.claim(id, 3_600_000)}\n`)
setInterval(() => {}, 60_000)
