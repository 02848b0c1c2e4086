import type { Application } from '../application.js'
import { expectEnd, serverFor } from '../client-server.js'
import type { Outcome, Row } from '../row.js'
import { runZonePage } from '../zone-page.js'

/** A platform whose globals differ from those of Node. */
interface Platform extends Pick<Row, 'name' | 'packages' | 'note' | 'ours' | 'suite'> {
  /** A folder of fixtures, and the file in it that runs the client. */
  readonly fixture: string
  readonly args?: readonly string[]
  readonly node?: readonly string[]
}

export const rows: readonly Row[] = [
  zonePage('zone.js 0.14 (Angular 17, 18), Chromium', '~0.14.0', 'zone.js'),
  zonePage('zone.js 0.16 (Angular 20, 21), Chromium', '~0.16.0', 'zone.js16'),
  platform({
    name: 'zone.js 0.14 (Angular 17, 18), Node',
    packages: [{ name: 'zone.js', version: '~0.14.0' }],
    suite: true,
    fixture: 'zone/zone.cjs',
    args: ['zone.js/node'],
  }),
  platform({
    name: 'zone.js 0.16 (Angular 20, 21), Node',
    packages: [{ name: 'zone.js', version: '~0.16.0', alias: 'zone.js16' }],
    suite: true,
    fixture: 'zone/zone.cjs',
    args: ['zone.js/node'],
  }),
  platform({
    name: 'the globals of React Native',
    packages: [
      { name: 'abort-controller', version: '^3.0.0' },
      { name: 'ws', version: '^8.0.0' },
    ],
    suite: true,
    note: 'Give `host`: there is no page. An imitation of its globals in Node; no device was tried.',
    fixture: 'react-native/react-native.cjs',
    node: ['--conditions=react-native'],
  }),
  platform({
    name: 'Vue 3, `ref` and `reactive`',
    ours: ['protocol', 'client', 'contract'],
    packages: [{ name: 'vue', version: '^3.5.0' }],
    suite: true,
    note: 'The socket and its channels are not reactive: keep what listeners get in refs of your own.',
    fixture: 'state/vue.mjs',
  }),
  platform({
    name: 'Immer',
    packages: [{ name: 'immer', version: '^11.0.0' }],
    note: 'Immer neither drafts nor freezes the socket.',
    fixture: 'state/immer.mjs',
  }),
  platform({
    name: 'MobX',
    packages: [{ name: 'mobx', version: '^6.0.0' }],
    note: 'MobX observes no field of the socket.',
    fixture: 'state/mobx.mjs',
  }),
]

function zonePage(name: string, version: string, alias: string): Row {
  return {
    group: 'Clients',
    name,
    packages: [{ name: 'zone.js', version, alias }],
    ours: ['protocol', 'client'],
    suite: true,
    programs: ['CHROMIUM'],
    expected: 'works',
    async run(application): Promise<Outcome> {
      await application.copy('client')
      await runZonePage(application)
      return { version: await application.version('zone.js') }
    },
  }
}

function platform({ fixture, args = [], node = [], ...row }: Platform): Row {
  return {
    group: 'Clients',
    ours: ['protocol', 'client'],
    expected: 'works',
    ...row,
    async run(application): Promise<Outcome> {
      await application.copy('client')
      await runFixture(application, fixture, { args, node })
      return { version: await application.version(String(row.packages[0]?.name)) }
    },
  }
}

async function runFixture(
  application: Application,
  fixture: string,
  { args, node }: { readonly args: readonly string[]; readonly node: readonly string[] },
): Promise<void> {
  const [folder = '', file = ''] = fixture.split('/')
  await application.copy(folder)
  const host = await serverFor(application)
  const ended = await application.run('node', [...node, file, host, ...args], { timeout: 60_000 })
  expectEnd(ended)
}
