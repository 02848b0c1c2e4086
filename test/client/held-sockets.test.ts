/** Sockets and channels inside the state of libraries that make proxies of objects, or freeze them. */
import { TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { smallScript } from './small-script.js'

/** What Vue looks at before it makes a proxy. */
const isSkipped = (object: object) => (object as { readonly __v_skip?: boolean }).__v_skip

describe('a socket in the state of a library', () => {
  for (const [title, find] of Object.entries({
    'of the module': () => TokenSocket,
    'of the small script': smallScript,
  }))
    it(`${title} is left alone by Vue, and so are its channels`, async () => {
      const Class = find()
      const socket = new Class({ host: '127.0.0.1:1', lazy: true, logLevel: 'none' })
      const channel = socket.channel('news')
      expect([isSkipped(socket), isSkipped(channel)]).to.deep.equal([true, true])
      expect([...Object.keys(socket), ...Object.keys(channel)]).to.not.include('__v_skip')
      await socket.end()
    })

  it('takes no more listeners when it is frozen', () => {
    const socket = new TokenSocket({ host: '127.0.0.1:1', lazy: true, logLevel: 'none' })
    Object.freeze(socket)
    expect(() => socket.on('message', () => {})).to.throw(TypeError)
  })
})
