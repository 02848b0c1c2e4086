import type { Engine, PresenceEvent, PresenceSnapshot } from '@token-socket/server/engine'
import { expect } from 'chai'

/** A limit of members that no case reaches. */
const LIMIT = 1000

/** Records the changes of members that a node receives, in order. */
export class PresenceWatcher {
  readonly events: PresenceEvent[] = []
  readonly engine: Engine
  #wake = () => {}

  private constructor(engine: Engine) {
    this.engine = engine
    engine.broker.listen({
      publication: () => {},
      broadcast: () => {},
      command: () => {},
      presence: (event) => {
        this.events.push(event)
        this.#wake()
      },
    })
  }

  /** Subscribes a node to channels, and records. @param channels @default 'a' */
  static async on(engine: Engine, ...channels: string[]): Promise<PresenceWatcher> {
    const watcher = new PresenceWatcher(engine)
    for (const channel of channels.length > 0 ? channels : ['a']) await engine.broker.subscribe(channel)
    return watcher
  }

  /** Resolves when a matching change has been received. */
  async until(matches: (event: PresenceEvent) => boolean): Promise<void> {
    while (!this.events.some(matches)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /**
   * All changes so far, as `+uid`, `-uid` and `~uid`. A last member joins, which is left out.
   */
  async received(channel = 'a', by: Engine = this.engine): Promise<string[]> {
    await by.presence.enter({ channel, uid: 'last', sid: 'last' }, LIMIT)
    await this.until(({ uid, change }) => uid === 'last' && change === 'joined')
    const signs = { joined: '+', left: '-', updated: '~' }
    return this.events.filter(({ uid }) => uid !== 'last').map(({ change, uid }) => `${signs[change]}${uid}`)
  }

  /**
   * The members by a snapshot and the changes after it.
   * @throws if a change is missing or repeated
   */
  since({ members, seq, epoch }: PresenceSnapshot): string[] {
    const found = new Map(members.map(({ uid, umd }) => [uid, umd]))
    const first = this.events.findLastIndex((event) => event.epoch === epoch && event.seq <= seq) + 1
    let at = seq
    for (const event of this.events.slice(first)) {
      expect([event.seq, event.epoch]).to.deep.equal([at + 1, epoch])
      expect(found.has(event.uid)).to.equal(event.change !== 'joined')
      if (event.change === 'left') found.delete(event.uid)
      else found.set(event.uid, event.umd)
      at = event.seq
    }
    return sorted([...found].map(([uid, umd]) => ({ uid, umd })))
  }
}

/** Members as texts, in order. */
export const sorted = (members: PresenceSnapshot['members']) =>
  members.map(({ uid, umd }) => `${uid}: ${umd ?? ''}`).sort()
