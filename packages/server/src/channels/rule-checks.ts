import { FieldReader } from '../options/field-reader.js'
import type { ChannelRuleTable } from './rule-table.js'

/**
 * How many publications a channel keeps if its rule does not say, and the largest number that a
 * rule may say.
 */
export const HISTORY_SIZE = { default: 1000, limit: 100_000 } as const

/** The bounds of a rate, in publications a second: at least one a day. */
const RATE = { least: 1 / 86_400, most: 1_000_000 } as const

const EVENT_FIELDS = new Set(['publish', 'history', 'rate'])
const RULE_FIELDS = new Set(['subscribe', 'publish', 'presence', 'history', 'rate', 'events'])
const HISTORY_FIELDS = new Set(['size', 'ttl'])
const RATE_FIELDS = new Set(['perSecond', 'burst'])

/**
 * Checks the option `channels`.
 * @throws RpcError `bad_option`, whose `data.field` names the field, such as
 *   `channels["chat-*"].history.ttl`
 */
export function checkChannelRules(value: unknown): asserts value is ChannelRuleTable {
  for (const [name, rule] of reader.entries(value, 'channels')) {
    const field = reader.entry('channels', name)
    if (name === '') throw reader.wrong(field, 'has to be a name')
    reader.pattern(name, field)
    const fields = reader.fields(rule, field, RULE_FIELDS)
    for (const permission of ['subscribe', 'presence'])
      checkPermission(fields.get(permission), `${field}.${permission}`)
    checkPublishing(fields, field)
    checkEvents(fields.get('events'), `${field}.events`)
  }
}

const reader = new FieldReader('bad_option')

function checkEvents(value: unknown, parent: string): void {
  if (value === undefined) return
  for (const [name, rule] of reader.entries(value, parent)) {
    const field = reader.entry(parent, name)
    reader.pattern(name, field)
    checkPublishing(reader.fields(rule, field, EVENT_FIELDS), field)
  }
}

/** Checks the fields that a rule and its events share. */
function checkPublishing(fields: ReadonlyMap<string, unknown>, field: string): void {
  checkPermission(fields.get('publish'), `${field}.publish`)
  checkHistory(fields.get('history'), `${field}.history`)
  checkRate(fields.get('rate'), `${field}.rate`)
}

function checkPermission(value: unknown, field: string): void {
  if (value !== undefined && typeof value !== 'boolean' && typeof value !== 'function') {
    throw reader.wrong(field, 'has to be true, false, or a function')
  }
}

function checkHistory(value: unknown, field: string): void {
  if (value === undefined || value === false) return
  const fields = reader.fields(value, field, HISTORY_FIELDS)
  checkWhole(fields.get('size'), `${field}.size`, HISTORY_SIZE.limit)
  const ttl = reader.number(fields.get('ttl'), `${field}.ttl`, Number.MAX_SAFE_INTEGER)
  if (ttl === 0) throw reader.wrong(`${field}.ttl`, 'has to be above 0')
}

function checkRate(value: unknown, field: string): void {
  if (value === undefined) return
  const fields = reader.fields(value, field, RATE_FIELDS)
  const perSecond = reader.number(fields.get('perSecond'), `${field}.perSecond`, RATE.most)
  if (perSecond < RATE.least)
    throw reader.wrong(`${field}.perSecond`, 'has to be at least one a day, 1 / 86400')
  checkWhole(fields.get('burst'), `${field}.burst`, RATE.most)
}

function checkWhole(value: unknown, field: string, limit: number): void {
  if (value === undefined) return
  const number = reader.number(value, field, limit)
  if (!Number.isInteger(number) || number === 0) throw reader.wrong(field, 'has to be a whole number above 0')
}
