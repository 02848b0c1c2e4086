/** What a client of a contract learns when the server does not sign it in again. */
import type { TokenSocket } from '@token-socket/client'
import { defineContract, procedure, type } from '@token-socket/contract'
import { type ConnectOptions, connect } from '@token-socket/contract/client'
import { implement } from '@token-socket/contract/server'
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import sinon from 'sinon'
import { rejection, type Site, until, useSites } from './fixture.js'

const contract = defineContract({
  server: {
    echo: procedure({ input: type<string>(), output: type<string>() }),
    note: procedure({ input: type<string>() }),
  },
})

const socketController = implement(contract, { echo: (text) => text, note: () => {} })

describe('a client of a contract that the server refuses to sign in again', () => {
  const start = useSites()
  let site: Site
  let refusal: false | Error = false
  let isRefused = false
  const sockets: TokenSocket[] = []

  beforeEach(() => {
    isRefused = false
    // No try waits for longer than a turn.
    sinon.stub(Math, 'random').returns(0)
  })

  afterEach(async () => {
    sinon.restore()
    await Promise.all(sockets.splice(0).map((socket) => socket.end()))
  })

  async function answer() {
    if (!isRefused) return { uid: 'ann' }
    if (refusal) throw refusal
    return false
  }

  async function open(options: ConnectOptions = {}) {
    const client = await connect(contract, { url: `ws://${site.host}`, logLevel: 'none', ...options })
    sockets.push(client.$socket)
    const errors: RpcError[] = []
    client.$onError((error) => errors.push(error))
    return { client, errors }
  }

  /** Cuts all connections, and refuses the next ones. @returns when the client has been refused several times */
  async function refuse({ client }: Awaited<ReturnType<typeof open>>) {
    let count = 0
    client.$socket.on('reconnect', (error) => {
      if (error) count += 1
    })
    isRefused = true
    for (const socket of site.sockets.sockets()) socket.end()
    await until(() => count > 2)
  }

  const kinds: readonly (readonly [name: string, code: string, given: false | RpcError, ConnectOptions])[] = [
    ['the token route', 'token_refused', false, {}],
    ['a connection without a token', 'forbidden', false, { authentication: 'none' }],
    ['the server’s own code', 'expired', new RpcError('expired', 'Log in'), { authentication: 'none' }],
  ]
  for (const [name, code, given, options] of kinds) {
    describe(`by ${name}`, () => {
      beforeEach(async () => {
        refusal = given
        site = await start({ socketController, authentication: answer, connectAuthentication: answer })
      })

      it('gets the refusal by `$onError` once, and again after it was ready', async () => {
        const opened = await open(options)
        await refuse(opened)
        expect(opened.errors.map((error) => error.code)).to.deep.equal([code])
        isRefused = false
        await until(() => opened.client.$socket.state === 'ready')
        await refuse(opened)
        expect(opened.errors.map((error) => error.code)).to.deep.equal([code, code])
      })

      it('has it as the `cause` of calls and messages that waited in vain', async () => {
        const opened = await open({ ...options, callTimeout: 30 })
        await refuse(opened)
        const { client } = opened
        for (const call of [client.echo('x'), client.note('x'), client.$socket.rpc('echo', 'x')]) {
          const error = await rejection(call)
          expect(error).to.include({ code: 'timeout' })
          expect(error.cause).to.include({ code })
        }
      })

      it('has a `$connect` that rejects, tries at once, and resolves when it is let in', async () => {
        const opened = await open(options)
        await refuse(opened)
        expect(await rejection(opened.client.$connect())).to.include({ code })
        isRefused = false
        await opened.client.$connect()
        expect(opened.client.$socket.state).to.equal('ready')
      })
    })
  }

  /** Holds back the timers of a wait. @returns a function that lets the last one expire */
  function holdTimers(wait: number): () => void {
    const { setTimeout: start } = globalThis
    let expire = () => {}
    const held = (run: () => void, time?: number, ...args: unknown[]) => {
      if (time !== wait) return start(run, time, ...args)
      expire = run
      return start(() => {}, time)
    }
    sinon.replace(globalThis, 'setTimeout', held as typeof setTimeout)
    return () => expire()
  }

  it('hears nothing of what may pass, such as a broken `authentication`, and `$connect` waits for `timeout`', async () => {
    refusal = new Error('The database is away')
    site = await start({ socketController, authentication: answer })
    const opened = await open()
    await refuse(opened)
    const expire = holdTimers(54_321)
    const rejected = rejection(opened.client.$connect({ timeout: 54_321 }))
    await new Promise((resolve) => opened.client.$socket.once('reconnect', resolve))
    expire()
    const error = await rejected
    expect(error).to.include({ code: 'timeout' })
    expect(error.cause).to.include({ code: 'token_failed' })
    expect(opened.errors).to.deep.equal([])
  })
})
