import type { ChannelPolicy } from './channels.js'

/** Any socket may use any channel, and nothing is kept. */
export const OPEN_POLICY: ChannelPolicy = {
  allows: async () => undefined,
  forPublication: () => ({ meta: undefined, echo: true, retention: undefined }),
  retention: () => undefined,
  historyStart: () => 0,
}
