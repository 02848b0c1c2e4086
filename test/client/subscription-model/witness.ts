/** What an application holds and is told about one channel, and what it may hold against the library. */

import type { ChannelName, Moment } from './history.js'
import type { Site } from './site.js'

export class Witness {
  /** How the library broke its promises. */
  readonly complaints: string[] = []
  readonly #site: Site
  readonly #name: ChannelName
  /** What happened, for people. */
  readonly #log: string[]
  /** Calls that have not settled. */
  #pending = 0
  /** The last call: only the news of that one counts. */
  #calls = 0
  #isCalled = false
  #isBound = false
  /** The server has, at some time, subscribed the socket on its own: it may again, late. */
  #isGranted = false
  /** An event has ended what a binding asks for. */
  #isRefused = false
  /** On the channel, as its events say. */
  #isOn = false
  /** The connection on which they said so is lost. */
  #isLost = false
  /** The number of the last message; `undefined` after an event that says that some may be missing. */
  #last: number | undefined
  /** An event has said since the last publication that it may not come. */
  #isExcused = false
  #unbind = () => {}

  constructor(site: Site, name: ChannelName, log: string[]) {
    this.#log = log
    this.#site = site
    this.#name = name
    this.#isGranted = site.isNamed(name)
    const channel = site.channel(name)
    channel.on('subscribed', () =>
      this.#told('subscribed', () => {
        this.#isOn = true
        this.#isLost = false
      }),
    )
    channel.on('unsubscribed', () =>
      this.#told('unsubscribed', () => {
        this.#isOn = false
        this.#isRefused = true
        this.#last = undefined
        // The server does not bring back what has come to pass and was lost.
        site.ended.add(name)
      }),
    )
    channel.on('refused', () =>
      this.#told('refused', () => {
        this.#isRefused = true
        // It comes back with `subscribed`, if it does.
        this.#isOn &&= !this.#isLost
        this.#last = undefined
      }),
    )
    channel.on('gap', (reason) => this.#told('gap', () => (this.#last = undefined), `: ${reason}`))
    for (const event of ['unsubscribed', 'refused', 'gap'] as const)
      channel.on(event, () => {
        this.#isExcused = true
      })
    site.client.on('disconnect', () => this.#lost())
    site.client.on('message', (from, data) => from === name && this.#received(Number(data)))
  }

  subscribe(): void {
    const call = this.#call(true)
    this.#watch('subscribe', this.#site.client.subscribe(this.#name), () => {
      if (call !== this.#calls) return
      this.#isCalled = false
      // The caller is told that the channel is not wanted any longer: what comes until it is undone is not shown.
      if (!this.#isBound) this.#last = undefined
    })
  }

  unsubscribe(): void {
    this.#site.ended.add(this.#name)
    const call = this.#call(false)
    this.#last = undefined
    this.#watch('unsubscribe', this.#site.client.unsubscribe(this.#name), (code) => {
      // A refused one leaves the channel as it is; of a late one nothing is known.
      if (call === this.#calls && code !== 'timeout') this.#isGranted = true
    })
  }

  bind(): void {
    this.#isRefused = false
    this.#isBound = true
    const { unbind } = this.#site.channel(this.#name).bind(/./, () => {})
    const before = this.#unbind
    this.#unbind = () => {
      before()
      unbind()
    }
  }

  unbind(): void {
    this.#site.ended.add(this.#name)
    this.#unbind()
    this.#unbind = () => {}
    this.#isBound = false
    this.#last = undefined
  }

  granted(): void {
    this.#isGranted = true
  }

  /** Both ends are at rest. */
  atRest(): void {
    const { client } = this.#site
    const isOn = this.#site.isOn(this.#name)
    const isKnown = client.channels().includes(this.#name)
    // What only a limit keeps away is tried again, as an event has said.
    const isWaiting = isKnown && !isOn && this.#isRefused && this.#site.isFull
    if (isKnown !== isOn && !isWaiting)
      this.#complain(
        `channels() ${isKnown ? 'has it' : 'has it not'}, the server sends ${isOn ? 'it' : 'nothing'}`,
      )
    if (this.#isOn !== isOn)
      this.#complain(
        `its events say ${this.#isOn ? 'subscribed' : 'not subscribed'}, the server says ${isOn}`,
      )
    if (this.#pending > 0) this.#complain(`${this.#pending} calls have not settled`)
    if (this.#isBound && !isOn && !this.#isRefused)
      this.#complain('a handler is bound, and nothing said why it hears nothing')
    if (!isOn && this.#site.isAutomatic(this.#name)) this.#complain('it is automatic, and not subscribed to')
  }

  /** A last message is about to be published. */
  beforeEnd(): void {
    this.#isExcused = false
  }

  /** It has had its time. @param number its number */
  atEnd(number: number): void {
    if (this.#site.isOn(this.#name) && this.#last !== number && !this.#isExcused)
      this.#complain('the last message did not come')
  }

  #call(isCalled: boolean): number {
    this.#isCalled = isCalled
    this.#isRefused &&= !isCalled
    this.#calls += 1
    return this.#calls
  }

  #watch(what: string, outcome: Promise<void>, failed: (code: unknown) => void): void {
    this.#pending += 1
    const end = (how: string) => {
      this.#pending -= 1
      this.#note(`${what}: ${how}`)
    }
    outcome.then(
      () => end('done'),
      (error) => {
        end(String(error.code))
        failed(error.code)
      },
    )
  }

  #received(number: number): void {
    this.#note(`message ${number}`)
    this.#judge(number)
    this.#site.now('message')
  }

  #judge(number: number): void {
    if (!this.#isCalled && !this.#isBound && !this.#isGranted && !this.#site.hasKept)
      this.#complain(`message ${number}, which is not wanted`)
    const last = this.#last
    if (last !== undefined && number !== last + 1)
      this.#complain(number <= last ? `message ${number} again, or late` : `message ${last + 1} is missing`)
    this.#last = number
  }

  /** Where nothing is kept, what was published meanwhile is lost, and the application knows. */
  #lost(): void {
    this.#note('disconnected')
    this.#isLost = true
    if (this.#name === 'plain') this.#last = undefined
    this.#site.now('loss')
  }

  #told(event: Moment, apply: () => void, about = ''): void {
    this.#note(event + about)
    apply()
    this.#site.now(event)
  }

  #complain(text: string): void {
    this.#note(`!! ${text}`)
    this.complaints.push(`${this.#name}: ${text}`)
  }

  #note(text: string): void {
    this.#log.push(`    ${this.#name}: ${text}`)
  }
}
