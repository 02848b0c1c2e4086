import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { shouldReconnect } from '@token-socket/protocol'
import { refuseUpgrade } from '../http/intercept.js'
import { eventLoop } from '../runtime/event-loop.js'
import type { BufferedConnection, BufferedListener } from '../socket/buffered-connection.js'
import { bareTexts, RAW_AUTH, RAW_WIRE } from './raw-wire.js'

/** The upgrade request of a {@link RawConnection}. */
export interface RawUpgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /**
   * Accepts it.
   * @param early bytes that arrived after the request
   * @param opened receives the WebSocket, at once; not called if the client has disconnected
   */
  accept(early: Buffer, opened: (link: BufferedConnection) => void): void
  /** It was answered, or its client has disconnected. Called once. */
  settled(): void
}

/** Bytes that are read before the upgrade is answered, at most. */
const EARLY = 16 * 1024

/**
 * A connection of a raw client. Its upgrade is accepted in the turn after its socket was
 * authenticated. Closing it before that refuses the upgrade: with 403 if the refusal is final, with
 * 503 if it may pass. Messages that were sent before follow the upgrade.
 */
export class RawConnection implements BufferedConnection {
  readonly transport = 'raw'
  readonly wire = RAW_WIRE
  ondrained: (() => void) | undefined
  request: IncomingMessage | undefined
  /** Set until it is answered. */
  #upgrade: RawUpgrade | undefined
  #link: BufferedConnection | undefined
  #listener: BufferedListener | undefined
  #held: string[] | undefined
  #heldSize = 0
  /** Functions that wait until everything is written. */
  #marks: (() => void)[] | undefined
  #isPaused = false
  /** Data that arrived before the upgrade was answered. */
  #early: Buffer[] | undefined
  #earlySize = 0

  constructor(upgrade: RawUpgrade) {
    this.#upgrade = upgrade
    this.request = upgrade.request
    const { socket } = upgrade
    socket.on('error', ignore)
    socket.on('end', this.#left)
    socket.on('close', this.#left)
    // Without reading, the socket's end would not be noticed.
    socket.on('data', this.#cameEarly)
  }

  listen(listener: BufferedListener): void {
    this.#listener = listener
    this.#link?.listen(listener)
  }

  /** Starts the authentication: the upgrade request stands for the first message. */
  begin(): void {
    this.#listener?.message(RAW_AUTH)
  }

  get bufferedBytes(): number {
    return this.#link?.bufferedBytes ?? this.#heldSize
  }

  authenticated(): void {
    this.request = undefined
  }

  opened(): void {
    // Listeners that are notified in this turn may still refuse it.
    eventLoop.setImmediate(() => this.#accept())
  }

  send(frames: readonly string[]): void {
    const texts = bareTexts(frames)
    if (texts.length === 0) return
    if (this.#link) return this.#link.send(texts)
    if (!this.#upgrade) return
    this.#held ??= []
    this.#held.push(...texts)
    for (const { length } of texts) this.#heldSize += length
  }

  written(done: () => void): void {
    if (this.#link) return void this.#link.written?.(done)
    if (!this.#upgrade) return
    this.#marks ??= []
    this.#marks.push(done)
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#link?.setPaused?.(isPaused)
  }

  close(code: number, reason: string): void {
    if (this.#link) return this.#link.close(code, reason)
    const upgrade = this.#settle()
    if (!upgrade) return
    this.#forget()
    refuseUpgrade(upgrade.socket, shouldReconnect(code) ? '503 Service Unavailable' : '403 Forbidden')
    this.#listener?.closed(code, reason)
  }

  #accept(): void {
    const upgrade = this.#settle()
    if (!upgrade) return
    const early = Buffer.concat(this.#early ?? [])
    this.#early = undefined
    upgrade.socket.resume()
    upgrade.accept(early, (link) => this.#join(link))
    if (!this.#link) this.#listener?.closed(1006, '', true)
  }

  readonly #cameEarly = (chunk: Buffer) => {
    this.#early ??= []
    this.#early.push(chunk)
    this.#earlySize += chunk.length
    if (this.#earlySize > EARLY) this.#upgrade?.socket.pause()
  }

  /** The client has disconnected before its upgrade was answered. */
  readonly #left = () => {
    const upgrade = this.#settle()
    if (!upgrade) return
    this.#forget()
    upgrade.socket.destroy()
    this.#listener?.closed(1006, '', true)
  }

  #join(link: BufferedConnection): void {
    this.#link = link
    link.authenticated?.()
    link.ondrained = () => this.ondrained?.()
    if (this.#listener) link.listen(this.#listener)
    if (this.#isPaused) link.setPaused?.(true)
    if (this.#held) link.send(this.#held)
    for (const done of this.#marks ?? []) link.written?.(done)
    this.#forget()
  }

  /** @returns the upgrade, if it was not answered yet */
  #settle(): RawUpgrade | undefined {
    const upgrade = this.#upgrade
    if (!upgrade) return undefined
    this.#upgrade = undefined
    const { socket } = upgrade
    socket.off('error', ignore)
    socket.off('end', this.#left)
    socket.off('close', this.#left)
    socket.off('data', this.#cameEarly)
    // Until a WebSocket reads from it.
    socket.pause()
    upgrade.settled()
    return upgrade
  }

  #forget(): void {
    this.request = undefined
    this.#held = undefined
    this.#heldSize = 0
    this.#early = undefined
    this.#marks = undefined
  }
}

/** Ignores the errors of a waiting connection: it also closes. */
function ignore(): void {}
