/**
 * Where the page came from, if there is one. In React Native there is none: Expo has a `location`
 * there, which is that of its development server.
 */
export function pageLocation(): Location | undefined {
  const { location, navigator } = globalThis
  return navigator?.product === 'ReactNative' ? undefined : location
}
