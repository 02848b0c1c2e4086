/** Plays a story to its end, and says what was wrong. */
import { ModelClock, settled } from '../../client/subscription-model/model-clock.js'
import { Random } from '../../protocol/random.js'
import { Acts } from './acts.js'
import { atEnd } from './end.js'
import { makeStory, type Step, type Story } from './story.js'
import { World } from './world.js'

/** What came of a story. */
export interface Report {
  readonly complaints: readonly string[]
  /** Steps and what they caused, in order. */
  readonly log: readonly string[]
}

/** Rounds after which what runs does not settle any more. */
const ROUNDS = 40

/** Plays a story. */
export async function play(story: Story): Promise<Report> {
  const clock = new ModelClock()
  clock.install(() => 0.5)
  try {
    return await playOn(clock, story)
  } finally {
    clock.uninstall()
  }
}

async function playOn(clock: ModelClock, story: Story): Promise<Report> {
  const world = new World(story)
  const acts = new Acts(world)
  acts.begin(new Random(story.seed))
  for (const step of story.steps) {
    const wait = acts.do(step)
    if (wait > 0) await clock.pass(wait)
    await rest(step)
    if (world.complaints.length > 0) break
  }
  if (world.complaints.length === 0) {
    await settle(world, clock)
    await atEnd(world, () => settle(world, clock))
  }
  world.isOver = true
  await world.node.close()
  await settled(3)
  return world
}

async function rest({ turns }: Step): Promise<void> {
  for (let left = turns; left < 0; left += 1) await undefined
  if (turns > 0) await settled(turns)
}

async function settle(world: World, clock: ModelClock): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await settled(4)
    if (world.running > 0 && round > ROUNDS / 2) await clock.pass(1000)
    if (world.running === 0 && round > 1) return
  }
  if (world.running > 0) world.complain(`${world.running} of what was begun has not settled`)
}

/** Plays the story of a seed. @returns it, as short as it can be made, with its log, if something was wrong */
export async function playSeed(seed: number): Promise<string | undefined> {
  let story = makeStory(seed)
  let report = await play(story)
  if (report.complaints.length === 0) return undefined
  for (let size = 8; size > 0; size = Math.floor(size / 2)) {
    for (let at = story.steps.length - size; at >= 0; at -= size) {
      const shorter = { ...story, steps: story.steps.filter((_, index) => index < at || index >= at + size) }
      const seen = await play(shorter)
      if (seen.complaints.length > 0) [story, report] = [shorter, seen]
    }
  }
  const { listens } = story
  return [`seed ${seed}${listens ? ', with listeners' : ''}: ${report.complaints[0]}`, ...report.log].join(
    '\n',
  )
}
