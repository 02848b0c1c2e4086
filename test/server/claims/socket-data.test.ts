import type { ServerSocket } from '@token-socket/server'
import { expect } from 'chai'
import { thrownBy } from '../../protocol/rejection.js'
import { makeSocket } from '../sockets.js'

declare module '@token-socket/server' {
  interface SocketData {
    /** A field that an application names. */
    exampleCart?: string[]
  }
}

describe('SocketData', () => {
  it('knows the type of a field that the application names', () => {
    const data: ServerSocket['data'] = {}
    data.exampleCart = ['apple']
    // @ts-expect-error it is a list
    data.exampleCart = 'apple'
    expect(data.exampleCart).to.equal('apple')
  })

  it('may be replaced by another object, and by nothing else', () => {
    const { socket } = makeSocket()
    socket.data.exampleCart = ['apple']
    socket.data = { exampleCart: ['pear'] }
    expect(socket.data).to.deep.equal({ exampleCart: ['pear'] })
    for (const wrong of [null, undefined, 'text', 5, [1], () => {}]) {
      const error = thrownBy(() => Object.assign(socket, { data: wrong }))
      expect(error).to.deep.include({ code: 'bad_message', data: { field: 'data' } })
    }
    expect(socket.data).to.deep.equal({ exampleCart: ['pear'] })
  })

  it('takes any other field, as unknown', () => {
    const data: ServerSocket['data'] = {}
    data.other = 1
    const known: unknown = data.other
    expect(known).to.equal(1)
  })
})
