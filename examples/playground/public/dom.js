/** The element with an id. */
export function byId(id) {
  return document.getElementById(id)
}

/** Makes an element. Children that are text become text, never HTML. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  const { data = {}, ...rest } = properties
  Object.assign(element, rest)
  Object.assign(element.dataset, data)
  element.append(...children)
  return element
}

/** The time of day, as an element. */
export function timeOf(date = new Date()) {
  const text = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
  return make('time', { dateTime: date.toISOString() }, text)
}

/**
 * Adds a line to a log, and takes the oldest away when there are too many. Scrolls only who is at
 * the end already.
 */
export function addLine(log, line, limit = 100) {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40
  log.append(line)
  while (log.children.length > limit) log.firstElementChild.remove()
  if (isAtEnd) log.scrollTop = log.scrollHeight
}

/** `42 ms`, `1.2 s` */
export function duration(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}
