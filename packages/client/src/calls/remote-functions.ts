import type { CallOptions, Controller } from '@token-socket/protocol'
import type { Callback } from '../runtime/callback.js'

/** Any function, whatever it takes. */
type AnyFunction = (...args: never[]) => unknown

/** What is no branch of a controller, although it has properties. */
type NoBranch =
  | readonly unknown[]
  | Date
  | Error
  | Promise<unknown>
  | RegExp
  | ReadonlyMap<never, unknown>
  | ReadonlySet<unknown>

/** How deep names are looked for: a controller's type may refer to itself. */
type Levels = readonly [1, 1, 1, 1, 1, 1, 1, 1]

/**
 * Whether a controller's type says which functions it has. One with an index signature does not,
 * nor does `object`.
 */
type IsKnown<Functions> = string extends keyof Functions
  ? false
  : [keyof Functions] extends [never]
    ? false
    : true

/**
 * The dotted names of the functions of a controller, by its type: `'add' | 'people.whoami'`. Any
 * text for a controller that does not say which functions it has, such as {@link Controller}. Eight
 * levels deep.
 */
export type FunctionNames<Functions> = IsKnown<Functions> extends true ? NamesOf<Functions, Levels> : string

type NamesOf<Functions, Below extends readonly unknown[]> = Below extends readonly [unknown, ...infer Rest]
  ? {
      [Name in keyof Functions & string]: NamesIn<Name, NonNullable<Functions[Name]>, Rest>
    }[keyof Functions & string]
  : never

type NamesIn<Name extends string, Member, Below extends readonly unknown[]> = Member extends AnyFunction
  ? Name
  : Member extends NoBranch
    ? never
    : Member extends object
      ? `${Name}.${NamesOf<Member, Below>}`
      : never

/** The function of a dotted name, by the type of its controller. */
export type FunctionNamed<Functions, Name> = Name extends keyof Functions
  ? NonNullable<Functions[Name]>
  : Name extends `${infer Branch}.${infer Rest}`
    ? Branch extends keyof Functions
      ? FunctionNamed<NonNullable<Functions[Branch]>, Rest>
      : unknown
    : unknown

/** The data that a function of a server's controller takes: its second parameter. */
export type FunctionData<Function> = Function extends (
  auth: never,
  data: infer Data,
  ...rest: never[]
) => unknown
  ? Data
  : unknown

/**
 * What a function of a controller answers: what it returns or resolves. `unknown` for a function
 * that answers by its callback.
 */
export type FunctionAnswer<Function> = Function extends (...args: infer Parameters) => infer Returned
  ? Parameters extends readonly [unknown?, unknown?]
    ? Answered<Returned>
    : Returned extends void
      ? unknown
      : Answered<Returned>
  : unknown

type Answered<Returned> = Awaited<Returned> extends void ? undefined : Awaited<Returned>

/**
 * Anything that JSON can carry. (Not `unknown`, beside which a callback's parameters would have no
 * types.)
 */
type AnyData = NonNullable<unknown> | null | undefined

/** What `rpc` takes after the name. */
export type CallArguments<Functions, Name, Data = unknown> =
  IsKnown<Functions> extends true
    ? TypedArguments<FunctionData<FunctionNamed<Functions, Name>>, CallAnswer<Functions, Name>>
    : [callback: Callback<Data>] | [data?: AnyData, rest?: Callback<Data> | CallOptions | undefined]

type TypedArguments<Data, Answer> = undefined extends Data
  ?
      | [callback: Callback<Answer>]
      | [data?: unknown extends Data ? AnyData : Data, rest?: Callback<Answer> | CallOptions | undefined]
  : [data: Data, rest?: Callback<Answer> | CallOptions | undefined]

/** What `notify` takes after the name. */
export type NotifyArguments<Functions, Name> =
  IsKnown<Functions> extends true
    ? TypedNotification<FunctionData<FunctionNamed<Functions, Name>>>
    : [data?: unknown, callback?: Callback<void> | undefined]

type TypedNotification<Data> = undefined extends Data
  ? [data?: Data, callback?: Callback<void> | undefined]
  : [data: Data, callback?: Callback<void> | undefined]

/**
 * What `rpc` resolves to: what the function answers, or `Data` for a controller that does not say
 * which functions it has.
 */
export type CallAnswer<Functions, Name, Data = unknown> =
  IsKnown<Functions> extends true ? FunctionAnswer<FunctionNamed<Functions, Name>> : Data

/** The functions of a server of which nothing is known. */
export type UnknownFunctions = Controller
