import type { PublicationDetails } from '@token-socket/client'
import type { Member } from '@token-socket/protocol'
import type { ChannelDefinition } from '../channel-definitions.js'
import { checkedValue, next } from '../checked-value.js'
import type { Schema } from '../schema.js'
import type { ContractSettings } from './settings.js'

/** Something that came on a channel. */
export type Arrival = PublicationDetails | Member

/** What the schemas of a channel make of something that came; `undefined` where they refuse it, or there is none. */
export type Reading = Arrival | undefined | Promise<Arrival | undefined>

/** Reads what comes on a channel. Each thing is read once, however many hear it. */
export class ChannelReader {
  readonly #readings = new WeakMap<Arrival, Reading>()
  readonly #name: string
  readonly #definition: ChannelDefinition
  readonly #settings: ContractSettings

  constructor(name: string, definition: ChannelDefinition, settings: ContractSettings) {
    this.#name = name
    this.#definition = definition
    this.#settings = settings
  }

  /** The schema of an event; `undefined` for an event that the contract does not have. */
  schemaOf(event: string): Schema | undefined {
    const { events } = this.#definition
    return Object.hasOwn(events, event) ? events[event] : undefined
  }

  /** A message, with the data that its schema makes of it. */
  readonly message = (message: PublicationDetails): Reading => {
    const { event = '' } = message
    const schema = this.schemaOf(event)
    return schema && this.#read(message, 'data', schema, event)
  }

  /** A member, with what the schema of the presence makes of its user metadata. */
  readonly member = (member: Member): Reading => this.#read(member, 'umd', this.#definition.presence)

  #read(arrival: Arrival, field: 'data' | 'umd', schema: Schema | undefined, event?: string): Reading {
    const readings = this.#readings
    if (readings.has(arrival)) return readings.get(arrival)
    const keep = <R extends Reading>(reading: R): R => {
      readings.set(arrival, reading)
      return reading
    }
    const refused = (error: unknown) => {
      this.#settings.fail(error)
      return keep(undefined)
    }
    const unchecked = {
      schema,
      value: Reflect.get(arrival, field),
      code: 'invalid_input',
      subject: { channel: this.#name, ...(event && { event }) },
    } as const
    try {
      const value = checkedValue(unchecked, { timeout: this.#settings.callTimeout })
      const reading = next(value, (own) => keep({ ...arrival, [field]: own }))
      return keep(reading instanceof Promise ? reading.catch(refused) : reading)
    } catch (error) {
      return refused(error)
    }
  }
}
