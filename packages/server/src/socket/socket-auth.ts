/**
 * What `authentication` returns for a socket. TypeScript users name its fields by
 * `declare module '@token-socket/server' { interface SocketAuth { name: string } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add their fields.
export interface SocketAuth {}
