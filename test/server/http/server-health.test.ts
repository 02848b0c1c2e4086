import { HealthMonitor } from '@token-socket/server'
import { expect } from 'chai'
import { HealthWatch } from '#server/http/server-health.js'
import { RecordedLog } from '../recorded-log.js'

describe('HealthWatch', () => {
  it('says that an engine is ready at first, and well again only after a warning', () => {
    const [logger, health] = [new RecordedLog(), new HealthMonitor()]
    health.set('commands', 'connecting')
    new HealthWatch({ engine: { name: 'redis', health }, logger, changed() {} })
    health.set('commands', undefined)
    health.set('commands', 'away')
    health.set('commands', undefined)
    expect(logger.lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['info', 'the engine is ready'],
      ['warn', 'the engine is degraded'],
      ['info', 'the engine is well again'],
    ])
  })
})
