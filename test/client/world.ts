/** A scripted server and the sockets that a test opens to it, ended and stopped after the test. */
import { TokenSocket as Module, type TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import type { Controller } from '@token-socket/protocol'
import sinon from 'sinon'
import { ScriptedServer } from './scripted-server.js'
import { smallScript } from './small-script.js'

/** What is tested: `small-script.test` runs tests on that file. */
const Client = process.env.TOKEN_SOCKET_CLIENT === 'script' ? smallScript() : Module

const FAKED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] as const

export class World {
  readonly sockets: TokenSocket[] = []

  static async create(): Promise<World> {
    return new World(await ScriptedServer.start())
  }

  private constructor(readonly server: ScriptedServer) {}

  /** A socket to the server. */
  open(options: TokenSocketOptions = {}, actions: Controller = {}): TokenSocket {
    // Failures that tests make are no news to the console.
    const quiet: TokenSocketOptions = options.logger ? {} : { logLevel: 'none' }
    const socket = new Client({ host: this.server.host, ...quiet, ...options }, actions)
    this.sockets.push(socket)
    return socket
  }

  /** A socket that is ready. */
  async openReady(options: TokenSocketOptions = {}, actions: Controller = {}): Promise<TokenSocket> {
    const socket = this.open(options, actions)
    await socket.ready()
    return socket
  }

  /** Cuts every connection, and waits until this socket has seen it. */
  cut(socket: TokenSocket): Promise<void> {
    return new Promise((resolve) => {
      socket.once('state', () => resolve())
      this.server.cut()
    })
  }

  /** From now on time moves only when the test says so; input and output go on. */
  stopClock(): sinon.SinonFakeTimers {
    return sinon.useFakeTimers({ toFake: [...FAKED] })
  }

  /** From now on no try waits for longer than a turn. */
  reconnectAtOnce(): void {
    sinon.stub(Math, 'random').returns(0)
  }

  async close(): Promise<void> {
    sinon.restore()
    await Promise.all(this.sockets.map((socket) => socket.end()))
    await this.server.stop()
  }
}
