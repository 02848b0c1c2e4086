import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { WebSocketServer } from 'ws'
import { Peer } from '../../scripts/abuse/inputs/peer.mjs'
import { KINDS, runInputs } from '../../scripts/abuse/inputs/run.mjs'

/** The short form of what `npm run abuse` does with a million. */
const COUNT = 2000

/** So that a failure can be repeated. */
const SEED = 20

interface Row {
  readonly kind: string
  readonly inputs: number
  readonly answered: number
  readonly closed: number
}

describe('generated inputs', function () {
  this.timeout(120_000)

  it('are each answered or refused, and leave nothing behind', async () => {
    const rows: readonly Row[] = await runInputs({ count: COUNT, seed: SEED })
    expect(rows.map(({ kind }) => kind)).to.deep.equal(KINDS.map(([kind]) => kind))
    // Results of calls need no answer, and neither do parts of frames.
    for (const { kind, inputs, answered, closed } of rows)
      expect(answered + closed, kind)
        .to.be.above(0)
        .and.at.least(inputs / 2)
  })

  describe('tell a server that keeps its promises from one that', () => {
    let server: WebSocketServer
    let peer: Peer

    /** @param answer gets each frame, and sends what it likes */
    async function start(
      answer: (frame: { rpc: string; uuid: string }, send: (text: string) => void) => void,
    ) {
      server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
      server.on('connection', (ws) => {
        ws.on('message', (data) => answer(JSON.parse(String(data)), (text) => ws.send(text)))
        ws.on('error', () => {})
      })
      await once(server, 'listening')
      peer = await Peer.open((server.address() as AddressInfo).port)
      const text = JSON.stringify({ rpc: 'echo', uuid: 'one' })
      peer.expect(text)
      peer.sendText(text)
    }

    const outcome = () =>
      peer.settled(200).then(
        () => 'accepted',
        ({ message, input }: { message: string; input: readonly unknown[] }) =>
          [message, ...input].join(': '),
      )

    afterEach(() => {
      peer.destroy()
      server.close()
    })

    it('answers once', async () => {
      await start(({ rpc, uuid }, send) => send(JSON.stringify({ rpc, uuid, resp: 1 })))
      expect(await outcome()).to.equal('accepted')
    })

    it('answers twice', async () => {
      await start(({ rpc, uuid }, send) => {
        const text = JSON.stringify({ rpc, uuid, resp: 1 })
        send(`${text}\n${text}`)
      })
      expect(await outcome()).to.match(/^an answer came that was not due: \{"rpc":"echo"/)
    })

    it('does not answer', async () => {
      await start(() => {})
      expect(await outcome()).to.equal('no answer came: {"rpc":"echo","uuid":"one"}')
    })

    it('answers another request', async () => {
      await start(({ rpc }, send) => send(JSON.stringify({ rpc, uuid: 'other', resp: 1 })))
      expect(await outcome()).to.match(/^an answer came that was not due/)
    })

    it('closes with a code that no document names', async () => {
      await start(() => {
        for (const ws of server.clients) ws.close(3999)
      })
      expect(await outcome()).to.match(/^closed with 3999: \{"rpc":"echo"/)
    })
  })
})
