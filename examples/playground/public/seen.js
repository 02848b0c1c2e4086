// What the server sees: its events, which it publishes on a channel that only it writes to.

import { addLine, byId, duration, make, timeOf } from './dom.js'

/** The server subscribes every socket to it. */
export const SERVER_CHANNEL = 'server'

/** What is shown of each event besides the name of the person. */
const DETAILS = {
  connected: ({ transport }) => `by ${transport}`,
  disconnected: ({ reason, duration: ms }) => `${reason}, after ${duration(ms)}`,
  subscribed: ({ channel }) => `to ${channel}`,
  unsubscribed: ({ channel, reason }) => `from ${channel}: ${reason}`,
  published: ({ channel = 'every channel' }) => `on ${channel}`,
}

/** Follows one socket. */
export function showSeen(socket) {
  socket.bind('seen', ({ channel, data }) => {
    if (channel === SERVER_CHANNEL) show(data)
  })
}

function show({ type, name, ...details }) {
  const what = make('code', { className: 'event' }, type)
  addLine(
    byId('seen'),
    make(
      'li',
      { data: { type } },
      timeOf(),
      ' ',
      what,
      ' ',
      make('strong', {}, name),
      ` ${DETAILS[type](details)}`,
    ),
  )
}
