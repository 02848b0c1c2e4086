import type { Application } from '../application.js'
import { exchange, refusal } from '../exchange.js'
import type { Row } from '../row.js'

/** Checks that the framework's own route answers still. */
const answersHello = async (url: string, _application: Application, path = '/hello'): Promise<void> => {
  const response = await fetch(`${url}${path}`)
  const text = await response.text()
  if (!text.includes('hello'))
    throw new Error(`${path} was answered ${response.status}: ${text.slice(0, 200)}`)
}

/** A framework whose application is given, or has one of Express around it. */
const works = (name: string, fixture: string, version: string, more: Partial<Row> = {}): Row => ({
  group: 'Frameworks',
  name,
  packages: [],
  expected: 'works',
  run: (application) =>
    exchange(application, { server: `frameworks/${fixture}.mjs`, version, check: answersHello }),
  ...more,
})

/** A framework whose application is not one of Express. */
const refused = (name: string, fixture: string, version: string, more: Partial<Row>): Row => ({
  group: 'Frameworks',
  name,
  packages: [],
  expected: 'refused',
  run: (application) =>
    refusal(application, {
      server: `frameworks/${fixture}.mjs`,
      version,
      message: /Invalid option: app .*/,
    }),
  ...more,
})

const express = (version: string, alias?: string): Row => ({
  group: 'Frameworks',
  name: `Express ${version}`,
  packages: [{ name: 'express', version: `^${version}.0.0`, ...(alias !== undefined && { alias }) }],
  suite: true,
  expected: 'works',
  run: (application) => exchange(application, { server: 'frameworks/express.mjs', version: 'express' }),
})

const nest = (major: string) => [
  { name: '@nestjs/common', version: `^${major}.0.0` },
  { name: '@nestjs/core', version: `^${major}.0.0` },
  { name: 'reflect-metadata', version: '^0.2.0' },
  { name: 'rxjs', version: '^7.0.0' },
]
const adapter = (kind: string, major: string) => ({
  name: `@nestjs/platform-${kind}`,
  version: `^${major}.0.0`,
})
const mounted =
  'Give `app` an Express application, and mount the framework on it after the `TokenSocketServer`.'
const fastify = { name: 'fastify', version: '^5.0.0' }
const hono = [
  { name: 'hono', version: '^4.0.0' },
  { name: '@hono/node-server', version: '^1.0.0' },
]

export const rows: readonly Row[] = [
  express('5'),
  express('4', 'express4'),
  ...['11', '12'].map(
    (major): Row => ({
      ...works(`Nest ${major}, Express adapter`, 'nest', '@nestjs/core'),
      packages: [...nest(major), adapter('express', major)],
      note: 'Make the `TokenSocketServer` after `NestFactory.create` and before `init` or `listen`: afterwards Nest answers its route 404.',
      run: (application) => exchange(application, { server: 'frameworks/nest.mjs', version: '@nestjs/core' }),
    }),
  ),
  refused('Nest 12, Fastify adapter', 'nest-fastify', '@nestjs/core', {
    packages: [...nest('12'), adapter('fastify', '12')],
    note: 'Use the Express adapter.',
  }),
  works('Next 16, custom server', 'next', 'next', {
    packages: [
      { name: 'next', version: '^16.0.0' },
      { name: 'react', version: '^19.0.0' },
      { name: 'react-dom', version: '^19.0.0' },
    ],
    note: 'Give `next()` the `httpServer`, make the `TokenSocketServer` before `prepare()`, and mount the request handler after it.',
    run: async (application) => {
      await application.write('pages/index.js', 'export default function Page() { return <p>hello</p> }\n')
      return exchange(application, {
        server: 'frameworks/next.mjs',
        version: 'next',
        check: (url) => answersHello(url, application, '/'),
      })
    },
  }),
  works('Fastify, by @fastify/express', 'fastify-express', 'fastify', {
    packages: [fastify, { name: '@fastify/express', version: '^4.0.0' }],
    note: 'Give an Express application as `app`, and `server: fastify.server`; then `fastify.use(app)`.',
  }),
  refused('Fastify, alone', 'fastify-alone', 'fastify', {
    packages: [fastify],
    note: 'Use `@fastify/express`.',
  }),
  works('Koa, mounted', 'koa-mounted', 'koa', {
    packages: [{ name: 'koa', version: '^3.0.0' }],
    note: mounted,
  }),
  refused('Koa, alone', 'koa-alone', 'koa', {
    packages: [{ name: 'koa', version: '^3.0.0' }],
    note: mounted,
  }),
  works('Hono, mounted', 'hono-mounted', 'hono', { packages: hono, note: mounted }),
  refused('Hono, alone', 'hono-alone', 'hono', { packages: hono, note: mounted }),
  works('Feathers 5', 'feathers', '@feathersjs/feathers', {
    packages: [
      { name: '@feathersjs/feathers', version: '^5.0.0' },
      { name: '@feathersjs/express', version: '^5.0.0' },
    ],
    note: 'Make the HTTP server yourself, and call `app.setup(server)`.',
  }),
  {
    group: 'Frameworks',
    name: 'tRPC 11, beside it',
    packages: [{ name: '@trpc/server', version: '^11.0.0' }],
    suite: true,
    expected: 'works',
    run: (application) =>
      exchange(application, {
        server: 'frameworks/trpc.mjs',
        version: '@trpc/server',
        check: (url) => answersHello(url, application, '/trpc/hello'),
      }),
  },
]
