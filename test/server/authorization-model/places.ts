/** Where a client is on each channel: what it keeps over its connections. */

/** What a notice of a subscription says. */
export interface Notice {
  readonly channel: string
  readonly epoch?: string
  readonly offset?: number
  readonly proof?: string
  readonly recovered?: boolean
  readonly reason?: string
  readonly members?: readonly Member[]
}

/** A member, and the version of the rights that gave it. */
export interface Member {
  readonly uid: string
  readonly umd?: { readonly v: number }
}

/** Where a client is on a channel. */
export class Place {
  isOn = false
  /** Whether the position is one of the present subscription. */
  isPlaced = false
  position: { readonly epoch: string; readonly offset: number } | undefined
  proof: string | undefined
  /** The offsets that the client has asked from. */
  readonly asked = new Set<number>()
  /** On a channel that keeps nothing: how many were accepted up to the last one that came. */
  accepted: number | undefined
  members = new Map<string, number | undefined>()

  /** The connection is lost. */
  lose(): void {
    this.isOn = false
    this.isPlaced = false
    this.accepted = undefined
    this.members.clear()
  }

  /** @returns what is wrong with the notice */
  enter({ epoch, offset, proof, recovered, reason, members }: Notice): string | undefined {
    const { position, isOn, isPlaced } = this
    if (!isOn || members) this.members = new Map(members?.map(({ uid, umd }) => [uid, umd?.v]))
    this.isOn = true
    if (epoch === undefined || offset === undefined) return undefined
    this.proof = proof
    this.isPlaced = true
    // Nothing was there: its epoch is a new one each time.
    const isNew = reason === 'epoch_changed' && this.asked.has(0)
    if (reason !== undefined && reason !== 'forbidden' && !isNew) return `has a gap: ${reason}`
    // Told once more: the client never goes back, and must not be moved on.
    const isAgain = isPlaced && recovered === undefined && position !== undefined && position.epoch === epoch
    if (isAgain && offset <= position.offset) return undefined
    this.position = { epoch, offset }
    return isAgain ? `was moved from ${position.offset} to ${offset}` : undefined
  }

  /** A publication that is kept has come, or was passed. @returns what is wrong with that */
  move({ epoch, offset = 0 }: { readonly epoch?: string; readonly offset?: number }): string | undefined {
    const { position, isPlaced } = this
    if (!this.isOn) return `got ${offset} while it was off the channel`
    this.position = { epoch: epoch ?? position?.epoch ?? '', offset }
    this.isPlaced = true
    if (!isPlaced || offset === (position?.offset ?? 0) + 1) return undefined
    return `got ${offset} after ${position?.offset}`
  }

  /** One that is not kept has come. @param accepted how many were accepted, it included */
  take(accepted: number): string | undefined {
    const before = this.accepted
    this.accepted = accepted
    if (!this.isOn) return `got number ${accepted} while it was off the channel`
    const isNext = before === undefined || accepted === before + 1
    return isNext ? undefined : `got number ${accepted} after ${before}`
  }

  /** A change of who is there. */
  change(change: string, { uid, umd }: Member): void {
    if (change === 'left') this.members.delete(uid)
    else this.members.set(uid, umd?.v)
  }
}
