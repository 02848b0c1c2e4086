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
      const { version, message } = await inTime(row.run(application))
      return message === undefined ? { result: 'works', version } : { result: 'refused', version, message }
    } finally {
      await application.remove()
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { result: 'failed', version: '', message: message.slice(0, LONGEST_MESSAGE) }
  }
}

/** Milliseconds that a row may take after its installation. */
const TIMEOUT = 300_000

/** How much of a failure the document, and the test, show. */
const LONGEST_MESSAGE = 1000

async function inTime<T>(outcome: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${TIMEOUT / 1000} s`)), TIMEOUT)
  })
  try {
    return await Promise.race([outcome, late])
  } finally {
    clearTimeout(timer)
  }
}

function missingProgram({ programs = [] }: Row): string | undefined {
  const missing = programs.filter((variable) => !process.env[variable])
  return missing.length === 0 ? undefined : `${missing.join(' and ')} is missing`
}
