/** The answer to `_ping`, where the application has no function of that name. */
export const pong = (): object => ({ message: 'pong' })
