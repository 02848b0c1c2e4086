// What `npm run model` prints.

/** Seeds that fail, after which it stops. */
export const MOST_FAILURES = 10

/** The whole number that an option gives. @throws Error that names the option */
export function readNumber(name, text, least) {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number
  throw new Error(`--${name} has to be a whole number from ${least} on, not ${JSON.stringify(text)}`)
}

/** The models, by their names. */
const MODELS = ['subscription', 'authorization']

/** The model that is meant. @throws Error that names the models */
export function readModel([name = 'subscription', ...others]) {
  if (MODELS.includes(name) && others.length === 0) return name
  throw new Error(`a model has to be one of ${MODELS.join(', ')}, not ${[name, ...others].join(' ')}`)
}

/** The seeds of each worker: contiguous, and all of them together. */
export function shares(first, seeds, workers) {
  const size = Math.ceil(seeds / workers)
  return Array.from({ length: Math.ceil(seeds / size) }, (_, index) => ({
    first: first + index * size,
    seeds: Math.min(size, seeds - index * size),
  }))
}

/** How far it is. */
export function progress({ done, seeds, failures, seconds }) {
  const percent = Math.floor((done / seeds) * 100)
  return `${done} of ${seeds} histories (${percent} %), ${failures.length} wrong, ${Math.round(seconds)} s`
}

/** The last lines. @param run `died` if a worker ended before its time */
export function summary({ model = 'subscription', first, done, seeds, failures, seconds, died }) {
  const all = done < seeds ? `${done} of ${seeds}` : `${seeds}`
  const lines = [`${all} histories from seed ${first}: ${failures.length} wrong, ${Math.round(seconds)} s`]
  if (died) lines.push('A worker ended before its time: its error is above.')
  if (failures.length === 0) return lines
  const sorted = [...failures].sort((a, b) => a - b)
  lines.push(
    `Wrong: seed${sorted.length > 1 ? 's' : ''} ${sorted.join(', ')}`,
    `Play one again: npm run model -- ${model === 'subscription' ? '' : `${model} `}--seeds 1 --first ${sorted[0]}`,
  )
  if (failures.length >= MOST_FAILURES) lines.push(`It stops after ${MOST_FAILURES} wrong histories.`)
  return lines
}
