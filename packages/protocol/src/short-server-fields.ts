/** In the place of `server-fields` in scripts whose bytes count: they trust their server in what only it can send. */
import { type Frame, readCapabilities, readNames } from './frame.js'
import type { PresenceChange } from './messages.js'
import type { Recovery, ServerFields } from './server-fields.js'

/** What the answer to the token says about the server, as it says it. */
export function readServerFields(frame: Frame): ServerFields {
  const { version, heartbeat, limits, expiresIn } = frame as unknown as ServerFields
  return { version, heartbeat, limits, expiresIn, ...readCapabilities(frame) }
}

/** Whether a subscription goes on where it was, as the server says it. */
export function readRecovery({ recovered, reason }: Frame): Recovery {
  return { recovered, reason } as Recovery
}

/** How long an authorisation lasts, as the server says it. */
export function readLifetime({ expiresIn }: Frame): Pick<ServerFields, 'expiresIn'> {
  return { expiresIn } as ServerFields
}

/** What a member did, as the server says it. */
export function readChange({ change }: Frame): PresenceChange {
  return change as PresenceChange
}

/** The id of a publication, if it has one: any name. @throws FrameError */
export function readPublicationId(frame: Frame): { readonly id?: string } {
  return readNames(frame, ['id'])
}
