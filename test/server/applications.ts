/** The two Express versions that applications use. */
import type { Express } from 'express'
import express from 'express'
import express4 from 'express4'

/** One version of Express. */
export interface ExpressVersion {
  readonly name: string
  make(): Express
}

export const EXPRESS_VERSIONS: readonly ExpressVersion[] = [
  { name: 'Express 5', make: () => express() },
  { name: 'Express 4', make: () => express4() as unknown as Express },
]
