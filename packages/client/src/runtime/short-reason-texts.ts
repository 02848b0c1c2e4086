/** Replaces `reason-texts` in the small scripts: each error has the text of its code. */

export const OVERTAKEN = undefined
export const RELEASED = undefined
export const REVOKED = undefined
export const SOCKET_AWAY = undefined
export const PAGE_LEFT = undefined
export const RENEWED = undefined
export const SUSPENDED = undefined
export const URL_LATE = undefined
export const UNANSWERED = undefined

/** @returns no text */
export function closedText(_code: number, _reason: string, _url?: string): string | undefined {
  return undefined
}
