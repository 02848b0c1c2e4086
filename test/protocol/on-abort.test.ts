import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { onAbort } from '#protocol/on-abort.js'
import { onAbort as shortOnAbort } from '#protocol/short-on-abort.js'

for (const [title, watch] of [
  ['onAbort', onAbort],
  ['onAbort of the short scripts', shortOnAbort],
] as const) {
  describe(title, () => {
    let controller: AbortController
    let ran: string[]
    const runs = (name: string) => () => void ran.push(name)

    beforeEach(() => {
      controller = new AbortController()
      ran = []
    })

    it('runs what waits in the order of the calls, once', () => {
      for (const name of ['a', 'b', 'c']) watch(controller.signal, runs(name))
      controller.abort()
      controller.abort()
      expect(ran).to.deep.equal(['a', 'b', 'c'])
    })

    it('runs at once where the signal is aborted, and listens no longer', () => {
      controller.abort()
      watch(controller.signal, runs('late'))()
      expect(ran).to.deep.equal(['late'])
    })

    it('runs what is added while it runs at once, and only once', () => {
      watch(controller.signal, () => watch(controller.signal, runs('added')))
      watch(controller.signal, runs('second'))
      controller.abort()
      expect(ran).to.deep.equal(['added', 'second'])
    })

    it('runs nothing that was undone, also while it runs, and leaves no listener', () => {
      const undoFirst = watch(controller.signal, runs('first'))
      const undoSecond = watch(controller.signal, () => undoThird())
      const undoThird = watch(controller.signal, runs('third'))
      undoFirst()
      controller.abort()
      undoSecond()
      expect(ran).to.deep.equal([])
      expect(getEventListeners(controller.signal, 'abort')).to.deep.equal([])
    })
  })
}
