/** In the place of `call-site` in scripts whose bytes count: a browser shows where a promise was awaited. */
export function callSite(): undefined {}

/** Leaves the error as it is. */
export function showCallSite(): void {}
