/** Milliseconds between two notices of typing that are sent, and for which one is shown. */
const SENT_EVERY = 1500
const SHOWN_FOR = 2000

/** Tells others that this person is typing, not too often, and shows who else is. */
export class Typing {
  #element
  #send
  #sent = Number.NEGATIVE_INFINITY
  #shown

  constructor(element, send) {
    this.#element = element
    this.#send = send
  }

  /** This person pressed a key. */
  typed() {
    const now = performance.now()
    if (now - this.#sent < SENT_EVERY) return
    this.#sent = now
    this.#send()
  }

  /** What was typed has been sent: the next key counts again. */
  reset() {
    this.#sent = Number.NEGATIVE_INFINITY
  }

  /** The other one is typing. */
  started(uid, name) {
    this.#show(uid, `${name} is typing…`)
    this.#shown = setTimeout(() => this.stopped(uid), SHOWN_FOR)
  }

  /** The other one has said it. */
  stopped(uid) {
    if (this.#element.dataset.uid === uid) this.#show('', '')
  }

  end() {
    clearTimeout(this.#shown)
  }

  #show(uid, text) {
    clearTimeout(this.#shown)
    this.#element.dataset.uid = uid
    this.#element.textContent = text
  }
}
