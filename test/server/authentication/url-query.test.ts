import { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { codeWithoutQuery, OwnError, withoutQuery } from '#server/authentication/url-query.js'

const REFUSED = 'connect ECONNREFUSED 127.0.0.1:5432'

describe('withoutQuery', () => {
  const textOf = (text: string, query: string) =>
    (withoutQuery(new Error(text), `/sockets/raw?${query}`) as Error).message

  for (const query of [
    'app=a',
    'v=2',
    'n=',
    'a',
    'key=Zk81-device-key&v=2&app=a&n=',
    'platform=ios&debug=0',
    '&&=&',
  ])
    it(`leaves the text of an error for an ordinary query: ${query}`, () => {
      expect(textOf(REFUSED, query)).to.equal(REFUSED)
      expect(codeWithoutQuery(new RpcError('banned'), `/?${query}`)).to.equal('banned')
    })

  for (const [query, text] of [
    ['key=Zk81', 'no such key: zk81'],
    ['key=Zk81&v=2', 'cannot read /?key=Zk81&v=2'],
    ['v=2', 'cannot read /?v=2'],
    ['N4ME', 'no such key: N4ME'],
    ['N4ME=1', 'no such key: N4ME'],
    ['k=a%20bc', 'no such key: a bc'],
  ] as const)
    it(`hides a text that has the query, or a part of four characters or more: ${text}`, () => {
      expect(textOf(text, query)).to.match(/has a part of the query/)
    })

  it('leaves an error of the library’s own', () => {
    const error = new OwnError('connectAuthentication did not answer within 400 ms')
    expect(withoutQuery(error, '/?key=answer')).to.equal(error)
    expect(error.name).to.equal('Error')
  })
})
