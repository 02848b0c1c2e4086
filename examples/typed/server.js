// Serves the page. Its scripts are plain modules, which esbuild bundles when the server starts.

import { join } from 'node:path'
import { build } from 'esbuild'
import express from 'express'
import { Site } from '../site.js'
import { createSockets } from './sockets.js'

const site = new Site()
const folder = join(import.meta.dirname, 'public')

const { outputFiles } = await build({
  entryPoints: [join(folder, 'app.js')],
  bundle: true,
  format: 'esm',
  // Development builds check what they send, and warn of usual mistakes.
  conditions: ['development'],
  define: { 'process.env.NODE_ENV': '"development"' },
  sourcemap: 'inline',
  write: false,
})
const [script] = outputFiles

site.app.get('/app.js', (_request, response) => response.type('js').send(Buffer.from(script.contents)))
site.app.use(express.static(folder))

await site.open('typed', createSockets(site.app, site.server))
