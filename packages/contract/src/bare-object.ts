/**
 * The prototype of trees of members. It has only a text for people, so that a template, a log line
 * or `JSON.stringify` does not throw. The trees have no `then`, `constructor` or `toString`.
 */
const BARE: object = /* @__PURE__ */ Object.create(null, {
  [Symbol.toPrimitive]: { value: text },
  toJSON: { value: text },
})

function text(): string {
  return '[object Client]'
}

/** Returns a new tree of members. */
export function bareObject<T extends object>(): T {
  return Object.create(BARE) as T
}
