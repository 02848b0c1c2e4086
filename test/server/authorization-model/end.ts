/** When all is at rest: whether both ends agree, and nothing is missing. */
import type { Link } from './link.js'
import { CHANNELS, type ChannelName } from './rights.js'
import type { World } from './world.js'

/** Compares what each client knows with what the server does. @param settle waits until all is at rest */
export async function atEnd(world: World, settle: () => Promise<void>): Promise<void> {
  // What is subscribed again late misses the first of them, where nothing is kept.
  for (let round = 0; round < 2; round += 1) {
    for (const channel of CHANNELS) world.run(world.publish(channel))
    await settle()
  }
  for (const link of world.links) {
    world.flush()
    if (link.state === 'joining') world.complain(`${link.name} was never let in`)
    if (link.state === 'open') for (const channel of CHANNELS) await compare(world, link, channel)
  }
  await compareMembers(world)
}

async function compare(world: World, link: Link, channel: ChannelName): Promise<void> {
  const { isOn, position, accepted } = link.owner.place(channel)
  const expected = link.on(channel)
  const socket = world.node.hub.get(link.sid)
  const isMember = socket !== undefined && world.node.hub.has(socket, channel)
  if (isOn !== isMember) return link.complain(`is ${isMember ? '' : 'not '}on ${channel}, and knows it not`)
  const current = link.versions.slice(-1)
  if (isMember && !link.some(current, channel) && !expected.mayBeOwn)
    link.complain(`is on ${channel} without a right`)
  if (!isMember && expected.isOwn) link.complain(`is not on ${channel}, which the server gave it`)
  if (!isMember && expected.isAutomatic) link.complain(`is not on ${channel}, which is automatic`)
  if (!isMember) return
  const log = world.accepted.get(channel) ?? []
  if (channel === 'live') {
    if (accepted !== log.length - 1) link.complain(`has ${accepted} of ${log.length} on live`)
    return
  }
  const { offset } = await world.node.memory.history.position(channel)
  if (position?.offset !== offset) link.complain(`is at ${position?.offset} of ${offset} on ${channel}`)
}

async function compareMembers(world: World): Promise<void> {
  const { members } = await world.node.memory.presence.members('room')
  const there = new Map(members.map(({ uid, umd }) => [uid, umd ? (JSON.parse(umd).v as number) : undefined]))
  const open = world.links.filter(({ state }) => state === 'open')
  const present = open.filter((link) => isPresent(world, link))
  const uids = [...new Set(present.map(({ uid }) => uid))].sort()
  if (uids.join() !== [...there.keys()].sort().join())
    world.complain(`present are ${[...there.keys()]}, and should be ${uids}`)
  for (const link of present) {
    // Of a user with several connections, any may have entered last.
    const devices = world.devices.filter(({ uid }) => uid === link.uid)
    const isOnly = devices.length === 1 && devices[0]?.links === 1
    const v = link.current?.rights.id
    if (isOnly && there.get(link.uid) !== v)
      link.complain(`is present as version ${there.get(link.uid)}, and has ${v}`)
  }
  for (const link of open) {
    const known = isPresent(world, link) ? there : new Map()
    const seen = link.owner.place('room').members
    if (asText(seen) !== asText(known))
      link.complain(`sees ${asText(seen)} in room, where ${asText(known)} are`)
  }
}

function isPresent(world: World, link: Link): boolean {
  const socket = world.node.hub.get(link.sid)
  return socket !== undefined && world.node.hub.has(socket, 'room') && link.current?.rights.isPresent === true
}

function asText(members: ReadonlyMap<string, unknown>): string {
  return [...members]
    .map((member) => member.join('='))
    .sort()
    .join()
}
