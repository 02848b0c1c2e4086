import type { RemoteClient } from '@token-socket/server'
import { expect } from 'chai'

declare module '@token-socket/server' {
  interface SocketData {
    /** A field that an application names. */
    exampleCart?: string[]
  }
}

describe('SocketData', () => {
  it('knows the type of a field that the application names', () => {
    const data: RemoteClient['data'] = {}
    data.exampleCart = ['apple']
    // @ts-expect-error it is a list
    data.exampleCart = 'apple'
    expect(data.exampleCart).to.equal('apple')
  })

  it('takes any other field, as unknown', () => {
    const data: RemoteClient['data'] = {}
    data.other = 1
    const known: unknown = data.other
    expect(known).to.equal(1)
  })
})
