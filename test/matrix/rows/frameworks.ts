import { exchange } from '../exchange.js'
import type { Row } from '../row.js'

export const rows: readonly Row[] = [
  {
    group: 'Frameworks',
    name: 'Express 5',
    packages: [{ name: 'express', version: '^5.0.0' }],
    suite: true,
    expected: 'works',
    run: (application) => exchange(application, { server: 'frameworks/express.mjs', version: 'express' }),
  },
  {
    group: 'Frameworks',
    name: 'Express 4',
    packages: [{ name: 'express', version: '^4.21.0', alias: 'express4' }],
    suite: true,
    expected: 'works',
    run: (application) => exchange(application, { server: 'frameworks/express.mjs', version: 'express' }),
  },
]
