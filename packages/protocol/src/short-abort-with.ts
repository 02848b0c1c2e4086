/** Of `abort-with`, for scripts whose bytes count: every browser's signals keep their reason. */
export function abortWith(controller: AbortController, reason: unknown): void {
  controller.abort(reason)
}
