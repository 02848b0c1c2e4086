/** Plays a history to its end, and says what was wrong. */
import { Random } from '../../protocol/random.js'
import { type Act, CHANNELS, type ChannelName, type History, makeHistory, type Step } from './history.js'
import { ModelClock, settled } from './model-clock.js'
import { Site } from './site.js'
import { Witness } from './witness.js'

/** Milliseconds after which nothing moves: the longest pause before another try, and what it takes. */
const REST = 60_000

/** What came of a history. */
export interface Report {
  readonly complaints: readonly string[]
  /** Steps and news, in order. */
  readonly log: readonly string[]
}

class Play {
  readonly log: string[] = []
  readonly #clock: ModelClock
  readonly #site: Site
  readonly #witnesses: Record<ChannelName, Witness>
  readonly #numbers = { plain: 0, kept: 0, room: 0 }

  constructor({ terms }: History, clock: ModelClock) {
    this.#clock = clock
    this.#site = new Site(terms, clock, (act) => this.#happen(act))
    const [plain, kept, room] = CHANNELS.map((name) => new Witness(this.#site, name, this.log))
    this.#witnesses = { plain, kept, room } as Record<ChannelName, Witness>
  }

  async run(steps: readonly Step[]): Promise<Report> {
    // The first client of the process loads a module, which takes real time.
    while (this.#site.client.state !== 'ready') await this.#clock.pass(100)
    for (const step of steps) {
      this.log.push(step.join(' '))
      await this.#do(step)
    }
    this.log.push('rest')
    this.#site.mend()
    await this.#clock.pass(REST)
    this.#all((witness) => witness.atRest())
    this.#all((witness) => witness.beforeEnd())
    for (const name of CHANNELS) this.#publish(name)
    await this.#clock.pass(REST)
    this.#all((witness, name) => witness.atEnd(this.#numbers[name]))
    await this.#site.end()
    await this.#clock.pass(5000)
    return { complaints: CHANNELS.flatMap((name) => this.#witnesses[name].complaints), log: this.log }
  }

  #all(look: (witness: Witness, name: ChannelName) => void): void {
    for (const name of CHANNELS) look(this.#witnesses[name], name)
  }

  async #do(step: Step): Promise<void> {
    if (step[0] === 'wait') return this.#clock.pass(step[1])
    if (step[0] === 'turn') return settled(step[1])
    if (step[0] === 'upon') return this.#site.upon(step[1], step[2])
    this.#act(step)
  }

  /** The moment of an act has come. */
  #happen(act: Act): void {
    this.log.push(`  ${act.join(' ')}`)
    this.#act(act)
  }

  #act(act: Act): void {
    switch (act[0]) {
      case 'subscribe':
      case 'unsubscribe':
      case 'bind':
      case 'unbind':
        return this.#witnesses[act[1]][act[0]]()
      case 'publish':
        return this.#publish(act[1])
      case 'grant':
        this.#witnesses[act[1]].granted()
        return void this.#site.grant(act[1]).catch(ignore)
      default:
        return this.#site.act(act)
    }
  }

  #publish(name: ChannelName): void {
    this.#numbers[name] += 1
    this.#site.publish(name, this.#numbers[name]).catch(ignore)
  }
}

/** Plays a history. */
export async function play(history: History, seed: number): Promise<Report> {
  const random = new Random(seed)
  const clock = new ModelClock()
  clock.install(() => random.number(1_000_000) / 1_000_000)
  try {
    return await new Play(history, clock).run(history.steps)
  } finally {
    clock.uninstall()
  }
}

/** Plays the history of a seed. @returns it, as short as it can be made, with its report, if something was wrong */
export async function playSeed(seed: number): Promise<string | undefined> {
  let history = makeHistory(new Random(seed))
  let report = await play(history, seed)
  if (report.complaints.length === 0) return undefined
  for (let at = history.steps.length - 1; at >= 0; at -= 1) {
    const shorter = { ...history, steps: history.steps.filter((_, index) => index !== at) }
    const seen = await play(shorter, seed)
    if (seen.complaints.length > 0) [history, report] = [shorter, seen]
  }
  return [`seed ${seed}, ${JSON.stringify(history.terms)}`, ...report.log].join('\n')
}

function ignore(): void {}
