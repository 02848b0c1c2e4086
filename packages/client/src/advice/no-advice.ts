import type * as development from './development-advice.js'

/** In the place of `development-advice` where bytes count, and where users are the only ones to read a console. */
export const advise: typeof development.advise | undefined = undefined

/** The same. */
export const adviseOnActions: typeof development.adviseOnActions | undefined = undefined

/** The same. */
export const advisedAction: typeof development.advisedAction | undefined = undefined
