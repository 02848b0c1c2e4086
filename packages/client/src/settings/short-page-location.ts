/** Of `page-location`, for scripts whose bytes count: a script tag is in a page. */
export function pageLocation(): Location | undefined {
  return globalThis.location
}
