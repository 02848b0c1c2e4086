/** Replaces `page-location` in the small scripts: a script tag is in a page. */
export function pageLocation(): Location | undefined {
  return globalThis.location
}
