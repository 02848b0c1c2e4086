import { LONG_GROUPS, testRows } from './suite-rows.js'

await testRows(({ group }) => !LONG_GROUPS.includes(group))
