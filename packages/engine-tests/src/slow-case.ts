/** A test that a runner calls, and what Mocha calls it on. */
type Run = (this: { timeout?(ms: number): void } | undefined) => Promise<void>

/**
 * Defines a case that may take long. Mocha learns its time from the context, Jest from an argument.
 */
export function slowIt(title: string, ms: number, run: () => Promise<void>): void {
  const define = it as (title: string, run: Run, ms: number) => void
  define(
    title,
    function () {
      this?.timeout?.(ms)
      return run()
    },
    ms,
  )
}
