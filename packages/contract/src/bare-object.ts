/**
 * What trees of members inherit: nothing but a text for people, so that a template, a log line or
 * `JSON.stringify` does not throw. They have no `then`, `constructor` or `toString`.
 */
const BARE: object = /* @__PURE__ */ Object.create(null, {
  [Symbol.toPrimitive]: { value: text },
  toJSON: { value: text },
})

function text(): string {
  return '[object Client]'
}

/** A new tree of members. */
export function bareObject<T extends object>(): T {
  return Object.create(BARE) as T
}
