// One person's window: a socket of its own, the lines of the chat, who is there and who is typing.

import { Lines } from './lines.js'
import { requestToken } from './tokens.js'
import { Typing } from './typing.js'

/** Publications that one request for history brings. */
const PAGE = 100

export class Pane {
  element
  session
  #socket
  #channel
  #lines
  #typing
  #person
  #other
  /** Whether the other one is there, as far as this window knows. */
  #isOtherHere
  /** The latest line that is shown, and up to which history was read. */
  #last

  /**
   * @param person whose window it is
   * @param other whom they talk to
   * @param token the first one, if there is one already
   */
  constructor(person, other, { session, token }) {
    this.session = session
    this.#person = person
    this.#other = other
    this.element = document.getElementById('pane').content.firstElementChild.cloneNode(true)
    this.element.dataset.uid = person.uid
    this.element.ariaLabel = `${person.name}’s window`
    this.#find('h2').textContent = person.name
    this.#find('input').ariaLabel = `Message to ${other.name}`
    this.#lines = new Lines(this.#find('.said'), person.uid)
    this.#connect(token)
    this.#typing = new Typing(this.#find('.typing'), () => this.#channel.send('is-typing').catch(() => {}))
    this.#listen()
  }

  /** Ends the socket for good. */
  end() {
    this.#typing.end()
    this.#socket.end()
  }

  #find(selector) {
    return this.element.querySelector(selector)
  }

  #connect(token) {
    const { session } = this
    const { uid } = this.#person
    const fresh = async () => (await requestToken({ uid, session })).token
    this.#socket = new TokenSocket({
      token: () => {
        const given = token
        token = undefined
        return given || fresh()
      },
    })
    this.#socket.on('state', (state) => this.#showState(state))
    this.#showState(this.#socket.state)

    this.#channel = this.#socket.channel(`chat-${session}`)
    this.#channel.on('subscribed', () => this.#load())
    this.#channel.on('gap', () => this.#load())
    for (const event of ['subscribed', 'joined', 'left']) this.#channel.on(event, () => this.#look())
    this.#channel.on('refused', (error) => this.#tell(`The chat did not open: ${error.message}`))
    this.#channel.bind('chat', (message) => {
      this.#typing.stopped(message.meta.uid)
      this.#lines.add(message)
    })
    this.#channel.bind('is-typing', ({ meta }) => {
      if (meta.uid !== this.#channel.uid) this.#typing.started(meta.uid, meta.umd.name)
    })
  }

  #listen() {
    const form = this.#find('form')
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      const text = form.elements.text.value.trim()
      if (text === '') return
      form.elements.text.value = ''
      this.#say(text, crypto.randomUUID())
    })
    form.elements.text.addEventListener('input', () => this.#typing.typed())
    this.#find('.offline').addEventListener('click', ({ target }) => {
      const isOff = this.#socket.state === 'suspended'
      if (isOff) this.#socket.resume()
      else this.#socket.suspend()
      target.textContent = isOff ? 'Go offline' : 'Come back'
    })
  }

  /**
   * Sends a line. It is shown when it comes back, so that both see the same; the key makes a second
   * try harmless.
   */
  async #say(text, idempotencyKey) {
    const draft = this.#lines.draft(text)
    this.#typing.reset()
    try {
      for (;;) {
        const outcome = await this.#channel.send('chat', text, { idempotencyKey }).then(
          (receipt) => receipt,
          (error) => error,
        )
        // It may have been said, or not: the key tells.
        if (outcome.code === 'connection_lost' || outcome.code === 'timeout') continue
        if (outcome instanceof Error) throw outcome
        return
      }
    } catch (error) {
      this.#tell(`“${text}” was not sent: ${error.message}`)
    } finally {
      draft.remove()
    }
  }

  /** Reads what was said before, page by page, from the last line that is shown. */
  async #load() {
    try {
      for (;;) {
        const page = await this.#channel.history({ after: this.#last, limit: PAGE })
        for (const message of page) if (message.event === 'chat') this.#lines.add(message)
        this.#last = page.at(-1)?.id ?? this.#last
        if (page.length < PAGE) break
      }
      this.element.dataset.isLoaded = true
    } catch (error) {
      this.#tell(`What was said before could not be read: ${error.message}`)
    }
  }

  #showState(state) {
    const names = {
      connecting: 'connecting…',
      waiting: 'reconnecting…',
      ready: 'online',
      suspended: 'offline',
    }
    const element = this.#find('.state')
    element.textContent = names[state] ?? state
    element.dataset.state = state
    this.#showOther()
  }

  #look() {
    this.#isOtherHere = this.#channel.members.some(({ uid }) => uid === this.#other.uid)
    this.#showOther()
  }

  /** While this window is offline, it shows what it knew last, in the past tense. */
  #showOther() {
    if (this.#isOtherHere === undefined) return
    const verb = this.#socket.state === 'ready' ? 'is' : 'was'
    this.#find('.there').textContent = `${this.#other.name} ${verb} ${this.#isOtherHere ? 'here' : 'away'}`
  }

  #tell(problem) {
    this.#find('.problem').textContent = problem
  }
}
