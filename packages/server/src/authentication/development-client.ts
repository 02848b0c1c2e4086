import { explainHabits, SOCKET_HABITS } from '../runtime/habits.js'
import { ServerSocket } from '../socket/server-socket.js'

/**
 * A client of a development server: what developers who know Socket.IO call on it says what to call here. In production a
 * socket has no `on` and no `emit`, so that nothing takes it for an emitter.
 */
export class DevelopmentClient extends ServerSocket {}

explainHabits(DevelopmentClient, SOCKET_HABITS)
