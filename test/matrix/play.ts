/** Runs one row, and says what became of it. */
import { Application, type Installer } from './application.js'
import type { Row } from './row.js'

/** What the document says about a row. */
export interface Result {
  readonly result: 'works' | 'refused' | 'failed' | 'not run'
  /** What was tried; empty where nothing was. */
  readonly version: string
  /** What the refusal said, what failed, or why the row did not run. */
  readonly message?: string
}

/** Runs a row in an empty folder. Never rejects. */
export async function play(row: Row, installer: Installer): Promise<Result> {
  const reason = row.unavailable ?? missingProgram(row)
  if (reason !== undefined) return { result: 'not run', version: '', message: reason }
  try {
    const application = await Application.create(row, installer)
    try {
      const { version, message } = await row.run(application)
      return message === undefined ? { result: 'works', version } : { result: 'refused', version, message }
    } finally {
      await application.remove()
    }
  } catch (error) {
    return { result: 'failed', version: '', message: error instanceof Error ? error.message : String(error) }
  }
}

function missingProgram({ programs = [] }: Row): string | undefined {
  const missing = programs.filter((variable) => !process.env[variable])
  return missing.length === 0 ? undefined : `${missing.join(' and ')} is missing`
}
