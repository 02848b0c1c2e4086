// `node scripts/run.mjs model --seeds 5`: installs what is missing, then runs a command of this folder with the arguments. Users come
// here by `npm run`; tests start the commands themselves, so that no test installs anything. A gate of the command's name may take
// packages of its own.

import { gates } from './gates.mjs'
import { installPackages } from './install.mjs'

const [, , command] = process.argv
const file = new URL(`${command}.mjs`, import.meta.url)
process.argv.splice(1, 2, file.pathname)
const packages = gates.find(({ name }) => name === command)?.packages
const isInstalled = (await installPackages()) && (!packages || (await installPackages(packages)))
if (isInstalled) await import(file.href)
else process.exitCode = 1
