/** How a format is checked: of texts, or of numbers. */
export type FormatCheck =
  | { readonly of: 'text'; readonly test: (text: string) => boolean }
  | { readonly of: 'number'; readonly test: (value: number) => boolean }

const text = (test: (text: string) => boolean): FormatCheck => ({ of: 'text', test })
const matching = (expression: RegExp): FormatCheck => text((value) => expression.test(value))
const number = (test: (value: number) => boolean): FormatCheck => ({ of: 'number', test })

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|([+-])(\d\d):(\d\d))$/i
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`)
const LABEL = '[a-z\\d](?:[a-z\\d-]{0,61}[a-z\\d])?'

/** The formats that are checked. The names are those of JSON Schema, AsyncAPI and Zod. */
const FORMATS: ReadonlyMap<string, FormatCheck> = new Map([
  ['date', text(isDate)],
  ['time', text(isTime)],
  ['date-time', text(isDateTime)],
  [
    'duration',
    matching(
      /^P(?!$)(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:[.,]\d+)?S)?)?)$/,
    ),
  ],
  [
    'email',
    matching(
      new RegExp(
        `^[\\w!#$%&'*+/=?^\`{|}~-]+(?:\\.[\\w!#$%&'*+/=?^\`{|}~-]+)*@(?:${LABEL}\\.)+${LABEL}$`,
        'i',
      ),
    ),
  ],
  ['hostname', matching(new RegExp(`^(?=.{1,253}\\.?$)${LABEL}(?:\\.${LABEL})*\\.?$`, 'i'))],
  ['ipv4', matching(IPV4)],
  ['ipv6', text(isIpv6)],
  [
    'uri',
    text(
      (value) => /^[a-z][a-z\d+.-]*:[^\s"<>\\^`{|}\u{80}-\u{10ffff}]+$/iu.test(value) && !isBadEscape(value),
    ),
  ],
  ['uuid', matching(/^(?:urn:uuid:)?[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i)],
  ['json-pointer', matching(/^(?:\/(?:[^~/]|~[01])*)*$/)],
  ['regex', text(isExpression)],
  ['jwt', matching(/^[\w-]+\.[\w-]+\.[\w-]*$/)],
  ['byte', matching(/^(?:[a-z\d+/]{4})*(?:[a-z\d+/]{2}==|[a-z\d+/]{3}=)?$/i)],
  ['int32', number((value) => Number.isInteger(value) && Math.abs(value + 0.5) < 2 ** 31)],
  ['int64', number(Number.isInteger)],
  ['float', number(() => true)],
  ['double', number(() => true)],
])

/** The check of a format, or `undefined` for one that is not known. */
export function formatCheck(format: string): FormatCheck | undefined {
  return FORMATS.get(format)
}

function isDate(value: string): boolean {
  const [, year, month, day] = DATE.exec(value)?.map(Number) ?? []
  if (year === undefined || month === undefined || day === undefined) return false
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOf(month, year)
}

function daysOf(month: number, year: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** A time with its offset. A leap second is one in UTC. */
function isTime(value: string): boolean {
  const parts = TIME.exec(value)
  if (!parts) return false
  const [hour = 0, minute = 0, second = 0] = parts.slice(1, 4).map(Number)
  const [offsetHour, offsetMinute] = [Number(parts[5] ?? 0), Number(parts[6] ?? 0)]
  if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return false
  if (second <= 59) return true
  const offset = (offsetHour * 60 + offsetMinute) * (parts[4] === '-' ? -1 : 1)
  return second === 60 && (hour * 60 + minute - offset + 2880) % 1440 === 1439
}

function isDateTime(value: string): boolean {
  const [date = '', time, ...more] = value.split(/t|\s/i)
  return more.length === 0 && time !== undefined && isDate(date) && isTime(time)
}

function isIpv6(value: string): boolean {
  const last = value.slice(value.lastIndexOf(':') + 1)
  const plain = last.includes('.') ? (IPV4.test(last) ? `${value.slice(0, -last.length)}0:0` : '') : value
  const halves = plain.split('::')
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  if (halves.length > 2 || plain === '' || !groups.every((group) => /^[\da-f]{1,4}$/i.test(group)))
    return false
  return halves.length === 2 ? groups.length < 8 : groups.length === 8
}

function isBadEscape(value: string): boolean {
  return /%(?![\da-f]{2})/i.test(value)
}

function isExpression(value: string): boolean {
  try {
    return Boolean(new RegExp(value, 'u'))
  } catch {
    return false
  }
}
