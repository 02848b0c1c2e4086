/**
 * SockJS: `window.SockJS` if the page has it, else the module `sockjs-client`, loaded now so that a page that never needs
 * it never pays for it.
 * @returns SockJS's constructor; rejects if it can't be loaded
 */
export async function loadSockJS(): Promise<unknown> {
  const { SockJS } = globalThis as { SockJS?: unknown }
  if (SockJS !== undefined) return SockJS
  // The package's main file uses `global`, which browsers lack. Browserify fails on `require` inside the other bundle.
  // @ts-expect-error its types cover the main file only
  const module = (await import('sockjs-client/dist/sockjs.min.js')) as { readonly default?: unknown }
  // Some bundlers (Parcel) give what CommonJS exports itself, without `default`.
  const SockJSClass = module.default ?? module
  if (typeof SockJSClass !== 'function') throw new Error('the module sockjs-client exports no constructor')
  return SockJSClass
}
