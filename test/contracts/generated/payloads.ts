/** Sends generated payloads to receivers, and checks what becomes of each. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { nameOf, type Outcome, type Receivers, startReceivers } from './receivers.js'
import { LIBRARIES } from './schemas.js'
import { fits, type Path, type Shape } from './shape.js'
import { FIXED_SHAPES, shapes } from './shapes.js'
import { faulty, valid } from './values.js'

/** What is sent. */
export interface PayloadRun {
  /** Payloads with one fault, each of which has to be refused; or payloads that fit, each of which has to arrive. */
  readonly kind: 'faulty' | 'valid'
  readonly count: number
  /** The same seed gives the same payloads. */
  readonly seed: number
  /** How many random shapes there are, besides those that are always there. */
  readonly randomShapes: number
}

/** A payload, and where its fault is. */
interface Payload {
  readonly index: number
  readonly value: unknown
  readonly path: Path
}

/** @throws Error with the shortest payload that is treated wrongly, and the seed */
export async function runPayloads({ kind, count, seed, randomShapes }: PayloadRun): Promise<void> {
  const all = [...FIXED_SHAPES, ...fc.sample(shapes(), { seed, numRuns: randomShapes })]
  const receivers = await startReceivers(all)
  try {
    const payloads = fc.oneof(...all.map((shape, index) => payloadsOf(kind, shape, index)))
    const libraries = fc.constantFrom(...Object.keys(LIBRARIES))
    const routes = fc.constantFrom(...Object.keys(receivers.routes))
    const check = kind === 'faulty' ? isRefused : hasArrived
    await fc.assert(
      fc.asyncProperty(payloads, libraries, routes, (payload, library, route) => {
        const at = {
          receivers,
          route,
          name: nameOf(library, payload.index),
          shape: all[payload.index] as Shape,
        }
        return check(payload, at)
      }),
      { seed, numRuns: count, interruptAfterTimeLimit: 3_600_000, markInterruptAsFailure: true },
    )
  } finally {
    await receivers.stop()
  }
}

function payloadsOf(kind: PayloadRun['kind'], shape: Shape, index: number): fc.Arbitrary<Payload> {
  if (kind === 'valid') return valid(shape).map((value) => ({ index, value: asSent(value), path: [] }))
  return faulty(shape)
    .map(({ value, path }) => ({ index, value: asSent(value), path }))
    .filter(({ value }) => !fits(shape, value, 'lenient'))
}

/** As JSON carries it. */
function asSent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** Where a payload goes. */
interface Destination {
  readonly receivers: Receivers
  readonly route: string
  readonly name: string
  readonly shape: Shape
}

async function isRefused(payload: Payload, at: Destination): Promise<void> {
  const before = at.receivers.count()
  const { outcome, code } = await sendTo(at, payload)
  if (!('error' in outcome) || at.receivers.count() !== before) throw wrong('reached a receiver', payload, at)
  const { error } = outcome
  const issues = (error.data as { readonly issues?: readonly { readonly path: Path }[] } | undefined)?.issues
  if (error.code !== code) throw wrong(`failed with ${error.code}: ${error.message}`, payload, at)
  if (!issues?.some(({ path }) => isOnTheWay(path, payload.path)))
    throw wrong(`was refused for another place: ${JSON.stringify(issues)}`, payload, at)
}

/** Libraries say where a fault is more or less exactly: one of the paths has to lead to the other. */
function isOnTheWay(told: Path, fault: Path): boolean {
  return told.every((key, depth) => depth >= fault.length || String(key) === String(fault[depth]))
}

async function hasArrived(payload: Payload, at: Destination): Promise<void> {
  if (!fits(at.shape, payload.value, 'strict')) throw wrong('does not fit its own shape', payload, at)
  const { outcome } = await sendTo(at, payload)
  if ('error' in outcome) throw wrong(`was refused: ${outcome.error.message}`, payload, at)
  if (!isDeepStrictEqual(asSent(outcome.reached), payload.value))
    throw wrong(`arrived as ${JSON.stringify(outcome.reached)}`, payload, at)
}

async function sendTo(
  { receivers, route, name }: Destination,
  { value }: Payload,
): Promise<{ readonly outcome: Outcome; readonly code: string }> {
  const receiver = receivers.routes[route]
  if (!receiver) throw new Error(`there is no ${route}`)
  return { outcome: await receiver.send(name, value), code: receiver.code }
}

function wrong(what: string, { value, path }: Payload, { route, name, shape }: Destination): Error {
  const lines = [
    `${JSON.stringify(value)} ${what}`,
    `${name}, ${route}; the fault is at ${JSON.stringify(path)}`,
    `shape: ${JSON.stringify(shape)}`,
  ]
  return new Error(lines.join('\n'))
}
