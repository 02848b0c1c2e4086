/**
 * Returns the page's location, if there is a page. React Native has none: the `location` of Expo is
 * that of its development server.
 */
export function pageLocation(): Location | undefined {
  const { location, navigator } = globalThis
  return navigator?.product === 'ReactNative' ? undefined : location
}
