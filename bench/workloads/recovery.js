import { Client } from '../loader/client.js'
import { Histogram } from '../loader/histogram.js'
import { TokenRequests } from '../loader/token-requests.js'
import { openClients } from './open-clients.js'
import { check, payloadText } from './payload.js'

/** Publications that are missed on each channel. */
const MISSED = 10

/**
 * Clients that were on their channels, are away while something is published on each, and come back all at once, saying
 * where they were.
 * @param {import('./open-clients.js').Setup & { channels: number, each: number }} setup
 */
export async function createLoad(setup) {
  const names = Array.from({ length: setup.channels }, (_, index) => `kept-${index}`)
  const text = payloadText(setup.payload)
  const [publisher] = await openClients(setup, 1)
  await publisher.request('publishOn', JSON.stringify({ channels: names, count: 1, text }))
  const clients = await openClients(setup, setup.connections)
  const places = await Promise.all(clients.map((client, index) => joinAll(client, channelsOf(index))))
  await Promise.all(clients.map(leave))
  await publisher.request('publishOn', JSON.stringify({ channels: names, count: MISSED, text }))

  function channelsOf(index) {
    return Array.from({ length: setup.each }, (_, at) => names[(index * setup.each + at) % names.length])
  }

  /** @returns the places on the channels */
  async function joinAll(client, channels) {
    const places = []
    for (const channel of channels) places.push(await setup.wire.join(client, channel))
    return places
  }

  return { saturate: () => comeBack({ setup, places, text }) }
}

function leave(client) {
  return new Promise((resolve) => {
    client.onclose = () => resolve(undefined)
    client.close()
  })
}

async function comeBack({ setup, places, text }) {
  const tokens = await Promise.all(places.map(() => freshToken(setup)))
  const times = new Histogram()
  const start = performance.now()
  await Promise.all(
    tokens.map(async (token, index) => {
      await recover(await Client.open(setup.wire, { port: setup.port, token }), {
        places: places[index],
        text,
      })
      times.add(performance.now() - start)
    }),
  )
  const seconds = (performance.now() - start) / 1000
  return { operations: tokens.length, seconds, p50Ms: times.percentile(0.5), p99Ms: times.percentile(0.99) }
}

async function freshToken({ port, wire }) {
  const requests = new TokenRequests(port, wire.tokenMethod)
  const token = await requests.get()
  requests.close()
  return token
}

/** Subscribes to each channel from where it was: what was missed has to come, all of it, in order. */
async function recover(client, { places, text }) {
  let came = 0
  const all = new Promise((resolve) => {
    client.onpublication = (data) => {
      check(data, (came % MISSED) + 1, text)
      came += 1
      if (came === places.length * MISSED) resolve(undefined)
    }
  })
  for (const place of places) {
    client.call('_subscribe', JSON.stringify(place), () => {})
    const { data } = await client.signal()
    if (data.recovered !== true) throw new Error(`not recovered: ${JSON.stringify(data)}`)
  }
  await all
}
