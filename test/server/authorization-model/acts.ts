/** Does what a story says, and holds each outcome against the model. */
import { Random } from '../../protocol/random.js'
import type { Answer, InForce, Link } from './link.js'
import type { Target } from './revoked.js'
import { authOf, CHANNELS, type ChannelName, mayPublish, type Rights } from './rights.js'
import type { ActName, Step } from './story.js'
import { type ModelToken, signChannel } from './tokens.js'
import type { Device, World } from './world.js'

/** What is chosen for a step. */
interface Choice {
  readonly random: Random
  readonly device: Device
  readonly channel: ChannelName
}

/** A step of an open connection. */
type LinkAct = (link: Link, choice: Choice) => Promise<void> | undefined

export class Acts {
  readonly #world: World
  readonly #ofLinks: Partial<Record<ActName, LinkAct>> = {
    publish: (link, { channel }) => this.#publish(link, channel),
    subscribe: (link, choice) => this.#subscribe(link, choice),
    channelToken: (link, choice) => this.#subscribe(link, choice, signChannel(link.sid, choice.channel)),
    unsubscribe: (link, { channel, device }) => {
      device.wanted.delete(channel)
      return this.#unsubscribe(link, channel)
    },
    history: (link, { channel }) => this.#history(link, channel),
    serverSubscribe: (link, { channel }) => this.#serverSubscribe(link, channel),
    serverUnsubscribe: (link, { channel }) => this.#serverUnsubscribe(link, channel),
    refresh: (link, choice) => this.#refresh(link, choice),
  }

  constructor(world: World) {
    this.#world = world
  }

  /** All clients connect, and want some channels. */
  begin(random: Random): void {
    const world = this.#world
    // Clients come back, most of them at once.
    world.onclosed = (device) => {
      if (!world.isOver && random.number(4) > 0) world.run(this.#return(device, random))
    }
    world.onrenew = (device, link) => {
      if (!world.isOver) world.run(this.#refresh(link, { random, device, channel: 'kept' }))
    }
    for (const device of this.#world.devices) {
      for (const channel of CHANNELS) if (random.number(3) > 0) device.wanted.add(channel)
      this.#world.run(this.connect(device, random))
    }
  }

  async #return(device: Device, random: Random): Promise<void> {
    await this.#world.pause()
    if (!device.live) await this.connect(device, random)
  }

  /** Does a step. Only waiting takes time. */
  do(step: Step): number {
    const random = new Random(step.seed)
    const device = random.pick(this.#world.devices)
    const choice = { random, device, channel: random.pick(CHANNELS) }
    this.#world.note(`${step.act} ${device.name} ${choice.channel}`)
    if (step.act === 'wait') return random.pick([1, 5, 300, 1200])
    const ofLink = this.#ofLinks[step.act]
    const work = ofLink ? this.#onLink(ofLink, choice) : this.#general(step.act, choice)
    if (work) this.#world.run(work)
    return 0
  }

  #onLink(act: LinkAct, choice: Choice): Promise<void> | undefined {
    const link = choice.device.live
    return link?.state === 'open' ? act(link, choice) : undefined
  }

  #general(act: ActName, choice: Choice): Promise<unknown> | undefined {
    const { device, channel, random } = choice
    switch (act) {
      case 'serverPublish':
        return this.#world.publish(channel)
      case 'connect':
        return device.live ? undefined : this.connect(device, random)
      case 'drop':
        device.live?.leave(random.pick([1006, 1000]))
        return undefined
      case 'reauthorize':
        return this.#reauthorize(choice)
      case 'renew':
        return this.#renew(choice)
      case 'revoke':
        return this.#revoke(choice)
      default:
        return undefined
    }
  }

  /** A client connects, with a new token or one that it has, and subscribes to what its user wants. */
  async connect(device: Device, random: Random): Promise<void> {
    const { tokens } = device
    const isOld = tokens.length > 0 && random.number(4) === 0
    const token = isOld ? random.pick(tokens as [ModelToken]) : this.#world.newToken(random, device)
    const wasRefused = this.#world.isRefused(token)
    const link = this.#world.connect(device, token)
    const answer = await link.signIn()
    this.#used(token, { wasRefused, answer, what: `${link.name} signs in` })
    if (link.state !== 'open') return
    for (const channel of CHANNELS)
      if (device.wanted.has(channel)) this.#world.run(this.#subscribe(link, { random, device, channel }))
  }

  /** Holds what came of a token against what it should. */
  #used(
    token: ModelToken,
    {
      wasRefused,
      answer,
      what,
    }: { readonly wasRefused: boolean; readonly answer: Answer; readonly what: string },
  ): void {
    if (answer.isLost) return
    const isGood = answer.code === undefined
    if (isGood) token.uses += 1
    if (isGood && token.isSingle && token.uses > 1) this.#world.complain(`${what} by a token that was used`)
    if (isGood && wasRefused) this.#world.complain(`${what} by a token that was revoked`)
    const isFresh = !token.isSingle || token.tries === 1
    if (!isGood && isFresh && !this.#world.mayBeRefused(token))
      this.#world.complain(`${what}: ${answer.code}, with a good token`)
  }

  async #publish(link: Link, channel: ChannelName): Promise<void> {
    const during = since(link)
    const answer = await link.ask('_publish', { channel, data: this.#world.publicationOf(link) })
    const { code, isLost } = answer
    if (isLost) return
    const may = ({ rights }: InForce) => mayPublish(rights, channel)
    if (code && during(answer).every(may)) link.complain(`could not publish on ${channel}: ${code}`)
    if (!code && !during(answer).some(may)) link.complain(`could publish on ${channel}`)
  }

  async #subscribe(link: Link, choice: Choice, token?: ModelToken): Promise<void> {
    const { random, channel } = choice
    const expected = link.on(channel)
    const { isOn, position, proof } = choice.device.place(channel)
    const from =
      isOn || expected.subscribing > 0 || !position || random.number(3) === 0 ? {} : { ...position, proof }
    if (position && 'epoch' in from) choice.device.place(channel).asked.add(position.offset)
    const during = since(link)
    const { endings, ending } = expected
    choice.device.wanted.add(channel)
    if (token) expected.mayHaveToken = true
    const isRefused = token && this.#world.isRefused(token)
    const brought = token ? { token: token.text } : {}
    expected.subscribing += 1
    const answer = await link.ask('_subscribe', { channel, ...from, ...brought })
    expected.subscribing -= 1
    const { code, isLost } = answer
    if (isLost) return
    if (!code && isRefused) link.complain(`subscribed to ${channel} by a token that was revoked`)
    const mayFail = token && code === 'invalid_token' && this.#world.mayBeRefused(token)
    if (token && code !== 'invalid_token') expected.hasToken = true
    const isAlone = endings === expected.endings && ending === 0
    if (code && !mayFail && isAlone && link.every(during(answer), channel))
      link.complain(`could not subscribe to ${channel}: ${code}`)
    if (!code && !link.some(during(answer), channel)) link.complain(`could subscribe to ${channel}`)
  }

  async #history(link: Link, channel: ChannelName): Promise<void> {
    const during = since(link)
    const answer = await link.ask('_history', { channel, limit: 100 })
    const { code, isLost, resp, valid } = answer
    if (isLost) return
    const reads = (one: InForce) => one.rights.readsHistory && link.every([one], channel)
    if (code && during(answer).every(reads)) link.complain(`could not read ${channel}: ${code}`)
    // A subscription goes on until it is judged: until then both versions count.
    const mayRead =
      valid.some(({ rights }) => rights.readsHistory) &&
      (link.some(valid, channel) || link.on(channel).mayBeOwn)
    const { publications = [] } = Object(resp) as { publications?: readonly unknown[] }
    if (!code && publications.length > 0 && !mayRead) link.complain(`could read ${channel}`)
  }

  async #unsubscribe(link: Link, channel: ChannelName): Promise<void> {
    const done = ending(link, channel)
    const { isLost, code } = await link.ask('_unsubscribe', { channel })
    if (!isLost && code) link.complain(`could not unsubscribe from ${channel}: ${code}`)
    done()
  }

  async #serverSubscribe(link: Link, channel: ChannelName): Promise<void> {
    const socket = this.#world.node.hub.get(link.sid)
    if (!socket) return
    this.#world.flush()
    const expected = link.on(channel)
    const { endings, ending } = expected
    expected.mayBeOwn = true
    await this.#world.node.channels.subscribe(socket, channel)
    this.#world.flush()
    if (endings === expected.endings && ending === 0) expected.isOwn = true
  }

  #serverUnsubscribe(link: Link, channel: ChannelName): undefined {
    const socket = this.#world.node.hub.get(link.sid)
    if (!socket) return
    const done = ending(link, channel)
    socket.unsubscribe(channel)
    socket.flush()
    done()
  }

  async #refresh(link: Link, { random, device }: Choice): Promise<void> {
    const world = this.#world
    const kind = random.number(8)
    const other = random.pick(world.devices)
    const old = random.pick([...device.tokens, ...other.tokens, undefined] as [ModelToken | undefined])
    const token = (kind === 0 ? old : undefined) ?? world.newToken(random, kind === 1 ? other : device)
    const isAlone = link.refreshing === 0
    const [wasRefused, { uid }] = [world.isRefused(token), token.rights as Rights]
    const answer = await link.refresh(token)
    const what = `${link.name} refreshes`
    if (answer.isLost || (answer.code === 'too_many_calls' && !isAlone)) return
    if (uid !== link.uid) {
      if (!answer.code) world.complain(`${what} by a token of ${uid}`)
      if (answer.code === 'identity_changed') token.uses += 1
      return
    }
    this.#used(token, { wasRefused, answer, what })
    if (answer.code) return
    const isAmended = (world.reauthorized.get(uid) ?? 0) >= token.issuedAt
    // Or the server's order holds in its place.
    if (!isAmended) this.#acknowledged(link, (token.rights as Rights).id)
  }

  async #reauthorize({ random, device }: Choice): Promise<void> {
    const world = this.#world
    const who = this.#target(random, device)
    const rights = world.newRights(random, device.uid)
    const meant = world.meant(who)
    world.note(`  ${JSON.stringify(who)} version ${rights.id}`)
    world.reauthorized.set(device.uid, Date.now() + 1000)
    await world.node.cluster.reauthorize(who as never, authOf(rights)).catch((error) => {
      if (error.code !== 'identity_changed' || meant.some(({ uid }) => uid === device.uid)) throw error
    })
    world.note(`  reauthorized ${rights.id}`)
    for (const link of meant) if (link.uid === device.uid) this.#acknowledged(link, rights.id)
  }

  /** A version was acknowledged: what is older does not count any more. */
  #acknowledged(link: Link, id: number): void {
    this.#world.flush()
    if (link.state === 'closed') return
    const index = link.versions.findIndex(({ rights }) => rights.id === id)
    if (index < 0) return link.complain(`was not told of version ${id}`)
    link.acknowledged = Math.max(link.acknowledged, index)
    this.#world.note(`    ${link.name}: acknowledged ${id}`)
  }

  async #renew({ random, device }: Choice): Promise<void> {
    const who = this.#target(random, device)
    const meant = this.#world.meant(who)
    const before = meant.map(({ renewals }) => renewals)
    this.#world.renewed.push(Date.now())
    await this.#world.node.cluster.refresh(who as never)
    for (const [index, link] of meant.entries()) {
      this.#world.flush()
      if (link.state === 'open' && link.renewals === before[index]) link.complain('was not asked to renew')
    }
  }

  async #revoke({ random, device }: Choice): Promise<void> {
    const world = this.#world
    const who = this.#revoked(random, device)
    const meant = world.meant(who)
    const revocation = world.revoking(who)
    world.note(`  ${JSON.stringify(who)}`)
    await world.node.cluster.revoke(who as never)
    revocation.doneAt = Date.now()
    world.note(`  revoked ${JSON.stringify(who)}`)
    world.flush()
    for (const link of meant) if (link.state === 'open') link.complain('was revoked, and is open')
    for (const link of world.links)
      if (link.state === 'open' && link.brought.every(({ token }) => revocation.refuses(token)))
        link.complain('is open by a token that was revoked')
  }

  #target(random: Random, device: Device): Target {
    const kind = random.number(4)
    if (kind === 0 && device.live?.sid) return { sid: device.live.sid }
    if (kind === 1) return { session: `session of ${random.pick([device.name, device.uid])}` }
    return { uid: device.uid }
  }

  #revoked(random: Random, device: Device): Target {
    const kind = random.number(4)
    const { jti } = random.pick([...device.tokens, {}] as [{ jti?: string }])
    if (kind === 0 && jti) return { jti }
    if (kind === 1) return { issuedBefore: Date.now() - random.pick([0, 1, 1000, -1000]) }
    return this.#target(random, device)
  }
}

/** @returns gives the versions that were in force, at some time, from now until an answer */
function since(link: Link): (answer: Answer) => readonly InForce[] {
  const begun = link.versions.length - 1
  return ({ count }) => link.versions.slice(begun, count)
}

/** An unsubscribe begins. @returns called when it is done */
function ending(link: Link, channel: string): () => void {
  const expected = link.on(channel)
  expected.endings += 1
  expected.ending += 1
  expected.isOwn = false
  expected.isAutomatic = false
  return () => {
    expected.ending -= 1
    expected.isAutomatic = false
    expected.isOwn = false
  }
}
