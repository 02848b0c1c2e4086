/** Equality of types, for tests that the compiler runs. */

/** Whether two types are the same: `any` is equal to itself only, and an optional field is not one that may be `undefined`. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles for `true` only: `type _ = Holds<Equal<A, B>>`. */
export type Holds<T extends true> = T

/** Compiles if a value has exactly a type: `is<number>()(sum)`. */
export function is<Expected>() {
  return <Actual>(value: Actual, ..._same: Equal<Actual, Expected> extends true ? [] : [Expected]): Actual =>
    value
}

/** Compiles if a promise gives exactly a type: `gives<number>()(socket.rpc('add'))`. */
export function gives<Expected>() {
  return <Actual>(
    value: Actual,
    ..._same: Equal<Awaited<Actual>, Expected> extends true ? [] : [Expected]
  ): Actual => value
}
