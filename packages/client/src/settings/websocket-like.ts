/** The part of a `WebSocket`, and of a SockJS object, that the client uses. */
export interface WebSocketLike {
  onopen: ((event: never) => unknown) | null
  onmessage: ((event: never) => unknown) | null
  onclose: ((event: never) => unknown) | null
  onerror: ((event: never) => unknown) | null
  onheartbeat?: ((event: never) => unknown) | null | undefined
  send(text: string): void
  close(code?: number, reason?: string): void
}
