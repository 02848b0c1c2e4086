import type { ServerSocket } from '../socket/server-socket.js'

/** A right of a socket on a channel, which is checked again. */
export interface JudgedRight {
  readonly socket: ServerSocket
  readonly channel: string
  /** Whether the socket is still on the channel. */
  isOn(): boolean
  /** Decides by the present authorization. It neither throws nor rejects. */
  ask(): boolean | Promise<boolean>
  /**
   * The right was allowed. It does not throw.
   * @param isCurrent whether by the present authorization, instead of an older one only
   * @returns a promise that the change has to wait for, which never rejects
   */
  give?(isCurrent: boolean): Promise<void> | undefined
  /** The right was refused, or not allowed in time. It does not throw. */
  take(): void
}

/** A change that waits for a decision by its authorization, or by a later one. */
interface Waiting {
  readonly version: number
  readonly timer: NodeJS.Timeout | undefined
  readonly resolve: (given: Promise<void> | undefined) => void
}

/** A right that is not decided yet. */
class Judgement {
  readonly #right: JudgedRight
  readonly #ended: () => void
  #waiting: Waiting[] = []
  #asked = 0
  #isOver = false

  constructor(right: JudgedRight, ended: () => void) {
    this.#right = right
    this.#ended = ended
  }

  /** The latest version by which it was asked. */
  get asked(): number {
    return this.#asked
  }

  /** Takes an answer when it arrives. */
  async follow(version: number, answer: Promise<boolean>): Promise<void> {
    this.#asked = version
    this.decide(version, await answer)
  }

  /**
   * Waits for a decision by a version, or a later one.
   * @param timeout milliseconds after which the right is taken away. @default no limit
   */
  wait(version: number, timeout: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const late = () => {
        if (this.#right.isOn()) this.#right.take()
        this.end()
      }
      const timer = timeout === undefined ? undefined : setTimeout(late, timeout).unref()
      this.#waiting.push({ version, timer, resolve })
    })
  }

  /**
   * It was decided. A refusal by an older version leaves the decision to later ones, in their time.
   */
  decide(version: number, isAllowed: boolean): Promise<void> | undefined {
    const right = this.#right
    if (this.#isOver) return undefined
    const isCurrent = right.socket.authorization.version === version
    if (!right.isOn()) return this.end()
    if (isAllowed) return this.#allow(version, right.give?.(isCurrent))
    if (!isCurrent) return undefined
    right.take()
    return this.end()
  }

  #allow(version: number, given: Promise<void> | undefined): Promise<void> | undefined {
    const isDone = (one: Waiting) => one.version <= version
    for (const one of this.#waiting.filter(isDone)) settle(one, given)
    this.#waiting = this.#waiting.filter((one) => !isDone(one))
    if (this.#waiting.length === 0) this.end()
    return given
  }

  /** Stops waiting. Does nothing after the end. */
  end(): undefined {
    if (this.#isOver) return
    this.#isOver = true
    for (const one of this.#waiting) settle(one, undefined)
    this.#waiting = []
    this.#ended()
  }
}

function settle({ timer, resolve }: Waiting, given: Promise<void> | undefined): void {
  clearTimeout(timer)
  resolve(given)
}

/**
 * Decides about rights again, after changes of authorization. Each change is decided in its own
 * time, however many follow and whatever the client does. What neither its authorization nor a
 * later one has allowed by then is taken away.
 */
export class RightJudgements {
  readonly #open = new WeakMap<ServerSocket, Map<string, Judgement>>()

  /**
   * Checks a right by the present authorization, unless that check is under way.
   * @param timeout milliseconds in which it has to be decided. @default no limit
   * @returns nothing if it is done synchronously; else a promise that never rejects
   */
  judge(right: JudgedRight, timeout: number | undefined): Promise<void> | undefined {
    const { socket, channel } = right
    const { version } = socket.authorization
    const open = this.#open.get(socket)?.get(channel)
    if (open?.asked === version) return open.wait(version, timeout)
    const answer = right.ask()
    if (typeof answer !== 'boolean') {
      const judgement = open ?? this.#begin(right)
      const decided = judgement.wait(version, timeout)
      void judgement.follow(version, answer)
      return decided
    }
    if (open) return open.decide(version, answer)
    if (answer) return right.give?.(true)
    right.take()
    return undefined
  }

  /** The socket has left the channel. What it begins there later is decided separately. */
  forget(socket: ServerSocket, channel: string): void {
    this.#open.get(socket)?.get(channel)?.end()
  }

  #begin(right: JudgedRight): Judgement {
    const { socket, channel } = right
    const judgements = this.#open.get(socket) ?? new Map<string, Judgement>()
    const judgement = new Judgement(right, () => {
      if (judgements.get(channel) === judgement) judgements.delete(channel)
    })
    this.#open.set(socket, judgements.set(channel, judgement))
    return judgement
  }
}
