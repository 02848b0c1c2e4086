import * as development from './development-advice.js'

/** Advice in a Node process, unless it is a production one. Its environment decides, once. */
export const advise = globalThis.process?.env?.NODE_ENV === 'production' ? undefined : development.advise
