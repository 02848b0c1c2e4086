/** Fills the node_modules of an application: by links to what is installed here, or by npm, as its users do. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { runProgram } from './programs.js'
import type { Package, Row } from './row.js'
import { root, type Tarball, tarballs } from './tarballs.js'

/** The projects whose installed packages are linked. */
const PROJECTS = [join(root, 'test/matrix'), root]

/** What every application with a server has. */
const EXPRESS: Package = { name: 'express', version: '^5.3.0' }

/** What an application needs of a row. */
export type Needs = Pick<Row, 'packages' | 'ours'>

/** Links what is installed, and unpacks the tarballs beside it. @throws where a package is not installed */
export async function linkPackages(folder: string, needs: Needs): Promise<void> {
  const modules = join(folder, 'node_modules')
  const ours = await oursOf(needs)
  for (const { name, path } of ours) {
    const target = join(modules, name)
    await mkdir(target, { recursive: true })
    const { code, stderr } = await runProgram('tar', ['-xzf', path, '-C', target, '--strip-components=1'])
    if (code !== 0) throw new Error(`${path} cannot be unpacked: ${stderr}`)
  }
  const names = ours.flatMap(({ dependencies }) => Object.keys(dependencies))
  const others = [...new Set(names)].filter((name) => !name.startsWith('@token-socket/'))
  for (const { name, alias = name } of packagesOf(needs)) await link(modules, name, await installed(alias))
  // Our own dependencies are the root's: tools of others may have brought other versions of the same.
  for (const name of others) await link(modules, name, join(root, 'node_modules', name))
}

async function link(modules: string, name: string, source: string | undefined): Promise<void> {
  const target = join(modules, name)
  if (existsSync(target)) return
  if (!source || !existsSync(source)) throw new Error(`${name} is not installed`)
  await mkdir(dirname(target), { recursive: true })
  await symlink(source, target)
}

/** Where a package is installed: what a project names itself goes before what came with something else. */
async function installed(alias: string): Promise<string | undefined> {
  const folders = PROJECTS.map((project) => join(project, 'node_modules', alias))
  const own = await Promise.all(PROJECTS.map((project) => names(project, alias)))
  return folders.find((_, at) => own[at]) ?? folders.find((folder) => existsSync(folder))
}

async function names(project: string, alias: string): Promise<boolean> {
  const { devDependencies } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
  return Object.hasOwn(devDependencies, alias)
}

/** Writes a package.json, and has npm install what it names. */
export async function installPackages(folder: string, needs: Needs): Promise<void> {
  await writeManifest(folder, await dependenciesOf(needs))
  await npmInstall(folder)
}

/** Has npm install what the package.json of a folder names. */
export async function npmInstall(folder: string): Promise<void> {
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, stderr } = await runProgram('npm', args, { cwd: folder, timeout: 300_000 })
  if (code !== 0) throw new Error(`npm install failed: ${stderr.trim().split('\n').slice(0, 12).join('\n')}`)
}

/** The `dependencies` of its package.json: the tarballs, and packages of others. */
export async function dependenciesOf(needs: Needs): Promise<Record<string, string>> {
  const ours = (await oursOf(needs)).map(({ name, path }) => [name, `file:${path}`] as const)
  const others = packagesOf(needs).map(({ name, version }) => [name, version] as const)
  return Object.fromEntries([...ours, ...others])
}

/** Adds dependencies to the package.json, and keeps what else is there. */
export async function writeManifest(folder: string, dependencies: Record<string, string>): Promise<void> {
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...manifest, dependencies }, null, 2))
}

function packagesOf({ packages, ours }: Needs): readonly Package[] {
  const needsExpress =
    (ours ?? DEFAULT).includes('server') && !packages.some(({ name }) => name === 'express')
  return needsExpress ? [...packages, EXPRESS] : packages
}

const DEFAULT = ['protocol', 'client', 'server']

async function oursOf({ ours = DEFAULT }: Needs): Promise<readonly Tarball[]> {
  const all = await tarballs()
  return ours.map((name) => {
    const tarball = all.get(name)
    if (!tarball) throw new Error(`there is no package ${name}`)
    return tarball
  })
}
