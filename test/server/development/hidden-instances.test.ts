import { expect } from 'chai'
import { warnOfHiddenInstances } from '#server/development/hidden-instances.js'
import { RecordedLog } from '../recorded-log.js'

class Pool {
  readonly query = () => 'rows'
}
class Settings {
  readonly url = 'x'
}
class Users {
  readonly list = () => []
  readonly db = new Pool()
  readonly settings = new Settings()
  readonly nested = { pool: new Pool() }
  get secret(): never {
    throw new Error('a getter was called')
  }
}

/** The paths that are warned of. */
function hidden(controller: object): unknown[] {
  const log = new RecordedLog()
  warnOfHiddenInstances(log, controller)
  return log.of('warn').map(({ details }) => details.path)
}

describe('warnOfHiddenInstances', () => {
  it('names instances with functions in the fields of an instance, at any depth', () => {
    expect(hidden(new Users())).to.deep.equal(['db', 'nested.pool'])
    expect(hidden({ a: { users: new Users() } })).to.deep.equal(['a.users.db', 'a.users.nested.pool'])
  })

  it('says nothing of plain trees, nor of instances in them', () => {
    expect(hidden({ a: { b: () => 1 }, pool: new Pool(), list: [() => 1] })).to.deep.equal([])
  })

  it('ends for trees that contain themselves, and calls no getter', () => {
    const tree: Record<string, unknown> = { users: new Users() }
    tree.self = tree
    Object.defineProperty(tree, 'trap', { enumerable: true, get: () => expect.fail('called') })
    expect(hidden(tree)).to.have.length(2)
  })
})
