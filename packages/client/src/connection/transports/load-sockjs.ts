/**
 * Loads SockJS: `window.SockJS` if the page has it, or the module `sockjs-client`. Loading happens
 * on first use, so that other pages pay nothing.
 * @returns SockJS's constructor; rejects if it cannot be loaded
 */
export async function loadSockJS(): Promise<unknown> {
  const { SockJS } = globalThis as { SockJS?: unknown }
  if (SockJS !== undefined) return SockJS
  // The package's main file uses `global`, which browsers lack. Browserify fails on `require` inside the other bundle.
  // @ts-expect-error its types cover the main file only
  const module = (await import('sockjs-client/dist/sockjs.min.js')) as { readonly default?: unknown }
  // Some bundlers (Parcel) return the exports of CommonJS without `default`.
  const SockJSClass = module.default ?? module
  if (typeof SockJSClass !== 'function') throw new Error('the module sockjs-client exports no constructor')
  return SockJSClass
}
