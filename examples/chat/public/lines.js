/** The lines of a chat, in the order of their ids, each once. */
export class Lines {
  #scroller
  #list
  #drafts
  #uid
  #known = new Map()

  /**
   * @param scroller has the list of lines and that of drafts
   * @param uid whose own lines are on the right
   */
  constructor(scroller, uid) {
    this.#scroller = scroller
    // So that the keyboard can scroll it.
    Object.assign(scroller, { tabIndex: 0, role: 'group', ariaLabel: 'Conversation' })
    this.#list = scroller.querySelector('.lines')
    this.#drafts = scroller.querySelector('.drafts')
    this.#uid = uid
  }

  /** Shows a line, unless it is there already: history and live messages may both bring it. */
  add({ id, data, time, meta }) {
    if (this.#known.has(id)) return
    const line = makeLine({ text: String(data), name: meta.umd.name, isOwn: meta.uid === this.#uid, time })
    line.dataset.id = id
    this.#known.set(id, line)
    this.#insert(line, this.#list, this.#after(id))
  }

  /** Shows a line that is on its way. @returns the element, to be removed when it has come back */
  draft(text) {
    const line = makeLine({ text, isOwn: true })
    line.append(Object.assign(document.createElement('small'), { textContent: 'waiting' }))
    this.#insert(line, this.#drafts)
    return line
  }

  /** The first line with a greater id. Most lines are the latest, so it looks from the end. */
  #after(id) {
    let next = null
    for (let line = this.#list.lastElementChild; line; line = line.previousElementSibling) {
      if (line.dataset.id < id) break
      next = line
    }
    return next
  }

  #insert(line, list, before = null) {
    const scroller = this.#scroller
    const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60
    list.insertBefore(line, before)
    if (isAtEnd) scroller.scrollTop = scroller.scrollHeight
  }
}

function makeLine({ text, name, isOwn, time }) {
  const line = document.createElement('li')
  line.className = isOwn ? 'own' : 'other'
  const words = document.createElement('p')
  words.textContent = text
  line.append(words)
  if (time !== undefined) {
    const date = new Date(time)
    const stamp = document.createElement('time')
    stamp.dateTime = date.toISOString()
    stamp.textContent = `${name} · ${date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`
    line.append(stamp)
  }
  return line
}
