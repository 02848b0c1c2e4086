import * as development from './development-advice.js'

const isProduction = globalThis.process?.env?.NODE_ENV === 'production'

/** Advice in a Node process, unless it is a production one. Its environment decides, once. */
export const advise = isProduction ? undefined : development.advise

/** The same about its actions. */
export const adviseOnActions = isProduction ? undefined : development.adviseOnActions

/** The same about one that is called. */
export const advisedAction = isProduction ? undefined : development.advisedAction
