/**
 * SockJS in Node: `globalThis.SockJS` if the program has it, else the module `sockjs-client`,
 * loaded now so that a program that never needs it never pays for it. Its main file has Node's
 * transports; the bundle for pages has none that Node can run.
 * @returns SockJS's constructor; rejects if it can't be loaded
 */
export async function loadSockJS(): Promise<unknown> {
  const { SockJS } = globalThis as { SockJS?: unknown }
  if (SockJS !== undefined) return SockJS
  const module = (await import('sockjs-client')) as { readonly default: unknown }
  return module.default
}
