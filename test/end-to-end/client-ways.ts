import type { TokenSocketOptions } from '@token-socket/client'

/** The ways by which the client in Node connects. */
export const WAYS: readonly (readonly [title: string, transport: string, client: TokenSocketOptions])[] = [
  ['plain WebSocket', 'websocket', {}],
  ...['websocket', 'xhr-streaming', 'xhr-polling', 'eventsource'].map(
    (name) => [`SockJS’s ${name}`, name, { transports: ['sockjs'], sockjs: { transports: [name] } }] as const,
  ),
]
