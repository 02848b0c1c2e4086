// A line of a log for one call, either way: first it waits, then it shows the answer or the
// failure.

import { addLine, duration, make, timeOf } from './dom.js'
import { describe } from './failure.js'

export class CallLine {
  #log
  #outcome = make('div', { className: 'outcome waiting' }, 'waiting…')
  #took = make('span', { className: 'took' })
  #start = performance.now()

  /**
   * @param log where it goes
   * @param head what is called, as text and elements
   * @param data attributes of the line
   */
  constructor(log, head, data = {}) {
    this.#log = log
    const time = make('p', {}, timeOf(), ' ', ...head, ' ', this.#took)
    addLine(log, make('li', { data }, time, this.#outcome))
  }

  /** The call was answered. */
  worked(answer) {
    this.#finish('worked', make('code', {}, JSON.stringify(answer) ?? 'undefined'))
  }

  /** The call failed, was lost, or was given up. */
  failed(error) {
    this.#finish('failed', ...describe(error))
  }

  #finish(state, ...children) {
    this.#outcome.className = `outcome ${state}`
    this.#outcome.replaceChildren(...children)
    this.#took.textContent = duration(performance.now() - this.#start)
    this.#log.scrollTop = this.#log.scrollHeight
  }
}
