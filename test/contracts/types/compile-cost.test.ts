/** How much work a contract is for the compiler: counted, not timed. `npm run bench -- types` measures the time. */
import { expect } from 'chai'
import { check, writeProject } from '../../../bench/types/project.js'
import { Project } from './compiler.js'

const OPERATIONS = 300

/** Types that the compiler makes for one operation: its handler, and a third of a call. */
const MOST_INSTANTIATIONS = 330

describe('a contract, to the compiler', function () {
  this.timeout(60_000)

  it('stays within its number of type instantiations', async () => {
    const project = new Project()
    writeProject(project.folder, { library: 'token-socket', count: OPERATIONS })
    const [alone, used] = [await check(project.folder, 'alone'), await check(project.folder, 'used')]
    project.delete()
    expect([alone.output, used.output]).to.deep.equal(['', ''])
    expect((used.instantiations - alone.instantiations) / OPERATIONS).to.be.within(50, MOST_INSTANTIATIONS)
  })
})
