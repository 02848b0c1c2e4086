import { createHash } from 'node:crypto'

const UID = 'uid:'

const SESSION = 'session:'

/** What identifies a user over all of their connections. */
export interface Subject {
  /** The user's id, from the sign-in's claims. */
  readonly uid?: string | undefined
  /** The sign-in's session, as {@link hashSession} names it. */
  readonly session?: string | undefined
}

/**
 * Returns every name of a user: by the uid, and by the session. Names of the two kinds never
 * collide.
 */
export function subjectsOf({ uid, session }: Subject): string[] {
  return [
    ...(uid === undefined ? [] : [uidSubject(uid)]),
    ...(session === undefined ? [] : [sessionSubject(session)]),
  ]
}

/**
 * Returns a function that matches users by a name of {@link subjectsOf}, without building the names
 * of each.
 */
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

/**
 * Returns the name of a session that the server keeps. The id itself would let a reader sign in.
 */
export function hashSession(sessionId: string): string {
  return createHash('sha256').update('token-socket session').update(sessionId).digest('base64url')
}
