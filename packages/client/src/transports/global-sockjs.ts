/**
 * SockJS as another script tag left it: `window.SockJS`. For pages without modules.
 * @returns SockJS's constructor; rejects if the page has none
 */
export async function loadSockJS(): Promise<unknown> {
  const { SockJS } = globalThis as { SockJS?: unknown }
  if (SockJS === undefined) throw new Error('This page has no SockJS: add its script to it')
  return SockJS
}
