/**
 * SockJS: `window.SockJS` if the page has it, else the module `sockjs-client`, loaded now so that a page that never needs
 * it never pays for it.
 * @returns SockJS's constructor; rejects if it can't be loaded
 */
export async function loadSockJS(): Promise<unknown> {
  const { SockJS } = globalThis as { SockJS?: unknown }
  if (SockJS !== undefined) return SockJS
  // The package's main file uses `global`, which browsers lack; this one has everything in it.
  // @ts-expect-error its types cover the main file only
  const module = (await import('sockjs-client/dist/sockjs.js')) as { readonly default: unknown }
  return module.default
}
