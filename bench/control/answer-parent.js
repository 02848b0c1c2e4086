/**
 * A child process's side of `Child#ask`: answers by functions, and ends with its parent.
 * @param {Readonly<Record<string, (args: any) => any>>} functions
 */
export function answerParent(functions) {
  process.on('message', async (/** @type {{ id: number, name: string, args: any }} */ { id, name, args }) => {
    try {
      process.send?.({ id, data: (await functions[name](args)) ?? null })
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.stack : String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
}

/** CPU time of this process so far, and the time, both in microseconds. */
export function mark() {
  const { user, system } = process.cpuUsage()
  return { cpu: user + system, time: performance.now() * 1000 }
}
