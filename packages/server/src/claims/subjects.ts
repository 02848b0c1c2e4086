import { createHash } from 'node:crypto'

const UID = 'uid:'

const SESSION = 'session:'

/** What is known of a user over all of their connections. */
export interface Subject {
  /** The user's id, of the sign-in's claims. */
  readonly uid?: string | undefined
  /** The sign-in's session, as {@link hashSession} names it. */
  readonly session?: string | undefined
}

/** Every name of a user: by the uid, and by the session. Names of the two kinds are never the same. */
export function subjectsOf({ uid, session }: Subject): string[] {
  return [
    ...(uid === undefined ? [] : [uidSubject(uid)]),
    ...(session === undefined ? [] : [sessionSubject(session)]),
  ]
}

/** Tells who has a name of {@link subjectsOf}, without making the names of each. */
export function subjectMatcher(name: string): (subject: Subject) => boolean {
  const uid = name.startsWith(UID) ? name.slice(UID.length) : undefined
  const session = name.startsWith(SESSION) ? name.slice(SESSION.length) : undefined
  return uid === undefined
    ? (subject) => session !== undefined && subject.session === session
    : (subject) => subject.uid === uid
}

/** The name of the user with a uid. */
export function uidSubject(uid: string): string {
  return UID + uid
}

/** The name of the user of a session. @param session its hash */
export function sessionSubject(session: string): string {
  return SESSION + session
}

/** The name of a session that the server keeps. The id itself would let its reader in. */
export function hashSession(sessionId: string): string {
  return createHash('sha256').update('token-socket session').update(sessionId).digest('base64url')
}
