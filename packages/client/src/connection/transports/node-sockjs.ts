/**
 * Loads SockJS in Node: `globalThis.SockJS` if the program has set it, or the module
 * `sockjs-client`. Loading happens on first use, so that other programs pay nothing. The package's
 * main file has Node's transports; its bundle for pages has none.
 * @returns SockJS's constructor; rejects if it cannot be loaded
 */
export async function loadSockJS(): Promise<unknown> {
  const { SockJS } = globalThis as { SockJS?: unknown }
  if (SockJS !== undefined) return SockJS
  const module = (await import('sockjs-client')) as { readonly default: unknown }
  return module.default
}
