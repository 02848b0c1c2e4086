import { DEFAULT_LIMITS, type Limits } from './limits.js'
import { badOption, checkCount, checkNumber, checkWait, withoutUndefined } from './option-checks.js'

/**
 * The limits of an environment as others sell it: each sets `message`, `publication` and others, and
 * leaves the rest alone. The table of limits says which.
 */
export type LimitPreset = 'sandbox' | 'preview' | 'stage'

/** The limits that an application sets. They win over those of a preset. */
export type LimitSettings = { readonly [Name in keyof Limits]?: Limits[Name] | undefined } & {
  /** The preset for all other limits. @default their own defaults */
  readonly preset?: LimitPreset | undefined
}

/** The option `limits`: a preset, or settings. */
export type LimitOptions = LimitPreset | LimitSettings

/** The limits that a preset sets. */
export const PRESET_LIMITS = [
  'callsIn',
  'messagesPerSecond',
  'messagesBurst',
  'userMessagesPerSecond',
  'userMessagesBurst',
] as const

const PRESETS: ReadonlyMap<unknown, Partial<Limits>> = new Map([
  ['sandbox', environment(10, 10)],
  ['preview', environment(50, 100)],
  ['stage', environment(5000, 10_000)],
])

/** The names of all limits. */
export const LIMIT_NAMES: readonly string[] = [...Object.keys(DEFAULT_LIMITS), 'preset']

/**
 * Returns the settings that the option is short for.
 * @throws RpcError `bad_option` for an unknown preset, and for what is no object
 */
export function limitSettings(option: LimitOptions | undefined): LimitSettings {
  if (option === undefined) return {}
  if (typeof option === 'string') return presetSettings('limits', option)
  if (typeof option !== 'object' || option === null || Array.isArray(option))
    throw badOption('limits', `has to be an object, or ${NAMES}`)
  return option
}

/**
 * Fills in the defaults.
 * @param others replace the defaults; a preset wins over them. @default none
 * @throws RpcError `bad_option`, naming the limit
 */
export function resolveLimits(settings: LimitSettings, others: Partial<Limits> = {}): Limits {
  const { preset, ...given } = settings
  const base = preset === undefined ? {} : presetOf('limits.preset', preset)
  const limits: { -readonly [Name in keyof Limits]: Limits[Name] } = {
    ...DEFAULT_LIMITS,
    ...others,
    ...base,
    ...withoutUndefined(given),
  }
  limits.messagesBurst = burst(given.messagesBurst, given.messagesPerSecond, limits.messagesBurst)
  limits.userMessagesBurst = burst(
    given.userMessagesBurst,
    given.userMessagesPerSecond,
    limits.userMessagesBurst,
  )
  for (const [name, limit] of Object.entries(limits))
    if (name.endsWith('Timeout')) checkNumber(`limits.${name}`, limit)
    else checkCount(`limits.${name}`, limit)
  for (const name of ['vetoTimeout', 'authenticationTimeout', 'bodyTimeout', 'readTimeout'] as const)
    checkWait(`limits.${name}`, limits[name])
  return limits
}

/** A rate that the application sets has a burst of one second, unless it sets that as well. */
function burst(given: number | undefined, perSecond: number | undefined, otherwise: number): number {
  return given === undefined ? (perSecond ?? otherwise) : given
}

/**
 * A user has, on all nodes, what one socket may do: the environment's numbers apply to all of the
 * user's sockets.
 */
function environment(concurrent: number, perSecond: number): Partial<Limits> {
  return {
    callsIn: concurrent,
    messagesPerSecond: perSecond,
    messagesBurst: concurrent,
    userMessagesPerSecond: perSecond,
    userMessagesBurst: concurrent,
  }
}

function presetSettings(field: string, preset: LimitPreset): LimitSettings {
  presetOf(field, preset)
  return { preset }
}

function presetOf(field: string, preset: unknown): Partial<Limits> {
  const found = PRESETS.get(preset)
  if (!found) throw badOption(field, `has to be ${NAMES}`)
  return found
}

const NAMES = '"sandbox", "preview" or "stage"'
