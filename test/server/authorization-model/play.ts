import { Random } from '../../protocol/random.js'
import { World } from './world.js'

const STEPS = 40

/** Plays one interleaving. @returns what went wrong, with the seed that plays it again; nothing if all went well */
export async function playSeed(seed: number): Promise<string | undefined> {
  const random = new Random(seed)
  const world = new World(random)
  for (let step = 0; step < STEPS && world.wrong.length === 0; step += 1) await world.step()
  await world.end()
  return world.wrong.length === 0 ? undefined : `seed ${seed}: ${world.wrong.slice(0, 5).join('; ')}`
}
