import { expect } from 'chai'
import sinon from 'sinon'
import { useSites } from './fixture.js'

type Answer = (error: unknown, data?: unknown) => void

const later = (_auth: unknown, data: unknown, callback: Answer) => void setImmediate(callback, null, data)

/** Whether the answer is what the function calls back with, by how it declares its callback. */
const FUNCTIONS = {
  declared: [later, true],
  'a wrapper that declares all three': [
    (auth: unknown, data: unknown, callback: Answer) => later(auth, data, callback),
    true,
  ],
  'a wrapper of any arguments': [(...args: Parameters<typeof later>) => later(...args), false],
  'a callback after a default': [
    (auth: unknown, data: unknown = {}, callback: Answer = () => {}) => later(auth, data, callback),
    false,
  ],
  'a stub': [sinon.stub().callsFake(later), false],
  'a wrapper that returns a promise': [
    (...[auth, data]: Parameters<typeof later>) =>
      new Promise((resolve) => later(auth, data, (_error, answer) => resolve(answer))),
    true,
  ],
} as const

describe('a function that calls back later', () => {
  const start = useSites()

  for (const [name, [run, isAnswer]] of Object.entries(FUNCTIONS)) {
    it(`answers ${isAnswer ? 'by its callback' : 'what it returns'}: ${name}`, async () => {
      const site = await start({ socketController: { run } as never })
      const { client } = await site.pair()
      expect(await client.rpc('run', 5)).to.equal(isAnswer ? 5 : undefined)
    })
  }
})
