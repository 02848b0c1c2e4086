/** Fields that only a server sends, and how they are read. */
import {
  badField,
  type Frame,
  readCapabilities,
  readObject,
  readPublicationIds,
  readVersion,
} from './frame.js'
import type { GapReason, PresenceChange, SessionInfo, SizeLimits, SubscriptionNotice } from './messages.js'
import { PROTOCOL_VERSION } from './names.js'

/** What the answer to the token says about the server. */
export type ServerFields = Pick<SessionInfo, 'version' | 'heartbeat' | 'can' | 'limits' | 'expiresIn'>

/** What the answer to the token says about the server. @throws FrameError */
export function readServerFields(frame: Frame): ServerFields {
  return {
    version: readVersion(frame) ?? PROTOCOL_VERSION,
    ...heartbeat(frame),
    ...readCapabilities(frame),
    ...limits(frame),
    ...readLifetime(frame),
  }
}

/** Whether a subscription goes on where it was. */
export type Recovery = Pick<SubscriptionNotice, 'recovered' | 'reason'>

/** Whether a subscription goes on where it was, if the server says so. */
export function readRecovery({ recovered, reason }: Frame): Recovery {
  return {
    ...(recovered !== undefined && { recovered: recovered === true }),
    ...(typeof reason === 'string' && { reason: reason as GapReason }),
  }
}

/** How long an authorisation lasts, if it ends. @throws FrameError */
export function readLifetime({ expiresIn }: Frame): Pick<SessionInfo, 'expiresIn'> {
  return expiresIn === undefined ? {} : { expiresIn: above0(expiresIn, 'expiresIn') }
}

/** What a member did. @throws FrameError */
export function readChange({ change }: Frame): PresenceChange {
  if (change === 'joined' || change === 'left' || change === 'updated') return change
  throw badField('data.change')
}

/** The id of a publication, if it has one. @throws FrameError */
export function readPublicationId(frame: Frame): { readonly id?: string } {
  return readPublicationIds(frame, ['id'])
}

function heartbeat({ heartbeat: wait }: Frame): { readonly heartbeat?: number } {
  return wait === undefined ? {} : { heartbeat: above0(wait, 'heartbeat') }
}

function limits(frame: Frame): { readonly limits?: SizeLimits } {
  if (frame.limits === undefined) return {}
  const entries = Object.entries(readObject(frame.limits, 'limits'))
  const numbers = entries.map(([name, limit]) => [name, above0(limit, `limits.${name}`)])
  return { limits: Object.fromEntries(numbers) }
}

/** @throws FrameError */
function above0(value: unknown, field: string): number {
  if (typeof value === 'number' && value > 0) return value
  throw badField(field, 'number')
}
