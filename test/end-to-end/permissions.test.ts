import { MemoryEngine } from '@token-socket/server'
import { describePermissions, WHOLE } from './permissions.js'

describePermissions('memory', () => new MemoryEngine(), WHOLE)
