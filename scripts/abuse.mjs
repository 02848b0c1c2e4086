// `npm run abuse`: attacks a default server and says what each attack cost it. See docs/SECURITY.md.
import { runStep } from './step.mjs'

const built = {
  title: 'Building',
  program: process.execPath,
  args: ['scripts/build.mjs'],
  advice: 'The build says why.',
}
if (!(await runStep(built))) process.exit(1)
await import('./abuse/abuse.mjs')
