// The gates as Grunt tasks; what each one does is in scripts/gates.mjs. `npx grunt` lists the tasks, then runs them all.

import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findExecutables } from './scripts/executables.mjs'
import { gateNamed, root } from './scripts/gates.mjs'
import { installPackages } from './scripts/install.mjs'
import { coverageFolder, runGate } from './scripts/run-gate.mjs'

/** Tasks by name: the gates that each runs, in order. */
const tasks = {
  lint: ['lint'],
  types: ['types'],
  build: ['build'],
  test: ['unit', 'contracts', 'end-to-end', 'load', 'interop'],
  engines: ['engines'],
  transports: ['one-node-xhr-streaming', 'one-node-xhr-polling'],
  cluster: ['cluster-websocket', 'cluster-xhr-streaming', 'cluster-xhr-polling', 'chaos'],
  browser: ['browser'],
  bundlers: ['bundlers'],
  matrix: ['matrix'],
  docs: ['docs'],
  repository: ['repository'],
  pack: ['pack'],
  size: ['size'],
  coverage: ['coverage'],
}

const extraTasks = {
  clean: 'removes what was built and measured: dist, coverage',
  release: 'packs every package, checks the tarballs, and prints what would be published',
  minify: 'the script-tag client only, built again (a part of build)',
  default: 'this list, then clean and all the tasks, in this order, and minify',
}

function describe(task) {
  return tasks[task]?.map((name) => gateNamed(name).does).join('; ') ?? extraTasks[task]
}

async function runTask(grunt, names) {
  if (names.includes('unit')) rmSync(coverageFolder, { recursive: true, force: true })
  let worked = true
  for (const name of names) {
    const { packages } = gateNamed(name)
    if (packages) await installPackages(packages)
    const { passed, failed, seconds, note } = await runGate(gateNamed(name), findExecutables())
    grunt.log.writeln(
      `${name}: ${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s${note ? ` (${note})` : ''}`,
    )
    worked &&= failed === 0
  }
  return worked
}

/** What tasks make, and git ignores. */
function builtFolders() {
  const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'dist'))
  return [...packages, join(root, 'coverage')]
}

function listTasks(grunt) {
  grunt.log.writeln('npx grunt TASK, where TASK is one of:\n')
  for (const task of [...Object.keys(tasks), ...Object.keys(extraTasks)]) {
    grunt.log.writeln(`  ${task.padEnd(12)}${describe(task)}`)
  }
  grunt.log.writeln('')
}

function gruntfile(grunt) {
  for (const [task, names] of Object.entries(tasks)) {
    grunt.registerTask(task, describe(task), function () {
      const done = this.async()
      runTask(grunt, names).then(done, done)
    })
  }
  grunt.registerTask('minify', describe('minify'), () => {
    const args = ['scripts/build.mjs', '--script']
    return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0
  })
  grunt.registerTask('clean', describe('clean'), () => {
    for (const folder of builtFolders()) rmSync(folder, { recursive: true, force: true })
  })
  grunt.registerTask('release', describe('release'), () => {
    const run = (file, ...args) =>
      spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' }).status === 0
    return run('scripts/build.mjs') && run('scripts/pack.mjs') && run('scripts/release.mjs')
  })
  grunt.registerTask('list', 'the tasks and what each does', () => listTasks(grunt))
  grunt.registerTask('default', describe('default'), ['list', 'clean', ...Object.keys(tasks), 'minify'])
}

// Grunt loads this file with `require`. This name makes the function itself what `require` gives, in a file that is ESM
// like the rest of the repository.
export { gruntfile as 'module.exports' }
