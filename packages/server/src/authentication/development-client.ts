import { explainHabits, SOCKET_HABITS } from '../runtime/habits.js'
import { ServerSocket } from '../socket/server-socket.js'

/**
 * A client of a development server. Its `on` and `emit` throw an error that names the method to
 * call, for developers who know Socket.IO. In production a socket has neither, so that no library
 * takes it for an emitter.
 */
export class DevelopmentClient extends ServerSocket {}

explainHabits(DevelopmentClient, SOCKET_HABITS)
