/** Every entry of the contract in Node: as ESM, as CommonJS, and from TypeScript that compiles to CommonJS. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { javascriptProgram, OUTPUT, typescriptProgram } from './contract-program.js'
import { Project } from './project.js'

const run = promisify(execFile)
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))

/** What npm would put beside the packages, and what the user of a contract installs. */
const NEEDED = {
  server: ['jsonwebtoken', 'light-my-request', 're2js', 'sockjs', 'ulid'],
  contract: ['@cfworker/json-schema', '@standard-schema/spec', 'json-schema-to-typescript', 'zod'],
  user: ['express', '@types/express', '@types/node'],
}

/** How TypeScript projects for CommonJS are set up. */
const SETTINGS = {
  'module: commonjs': { module: 'commonjs', moduleResolution: 'bundler' },
  'module: node16': { module: 'node16', moduleResolution: 'node16' },
}

describe('a contract in Node', function () {
  this.timeout(60_000)
  let project: Project

  before(async () => {
    project = await Project.create('commonjs', ['server', 'contract'])
    await project.link(Object.values(NEEDED).flat())
  })

  after(() => project.remove())

  /** What a program writes, and that Node ends by itself. */
  async function output(file: string): Promise<unknown> {
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: project.folder })
    expect(stderr).to.equal('')
    return JSON.parse(stdout)
  }

  for (const [way, file] of [
    ['import', 'program.mjs'],
    ['require', 'program.cjs'],
  ] as const)
    it(`works, got by ${way}`, async () => {
      await project.write(file, javascriptProgram(way))
      expect(await output(file)).to.deep.equal(OUTPUT)
    })

  for (const [title, settings] of Object.entries(SETTINGS))
    it(`works from TypeScript that compiles to CommonJS, by ${title}`, async () => {
      await project.write('program.ts', typescriptProgram())
      const compilerOptions = {
        ...settings,
        strict: true,
        target: 'es2022',
        lib: ['es2023', 'dom'],
        types: ['node'],
        esModuleInterop: true,
        skipLibCheck: true,
        rootDir: '.',
        outDir: 'compiled',
      }
      await project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['program.ts'] }))
      const compiled = await run(process.execPath, [TSC, '--project', '.'], { cwd: project.folder }).catch(
        (error) => error,
      )
      expect(compiled.stdout).to.equal('')
      expect(await output('compiled/program.js')).to.deep.equal(OUTPUT)
    })
})
