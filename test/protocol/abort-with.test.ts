import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { abortWith as full } from '#protocol/abort-with.js'
import { abortWith as short } from '#protocol/short-abort-with.js'

/** An AbortController as React Native has it: its signals know no reason. */
class PlainController {
  readonly signal = Object.assign(new EventTarget(), { aborted: false, onabort: null })

  abort(): void {
    this.signal.aborted = true
    this.signal.dispatchEvent(new Event('abort'))
  }
}

describe('abortWith', () => {
  for (const [title, [abortWith, Controller]] of Object.entries({
    'signals that keep their reason': [full, AbortController],
    'signals that keep none': [full, PlainController as unknown as typeof AbortController],
    'signals that keep their reason, by the short form': [short, AbortController],
  } as const)) {
    it(`gives listeners the reason, on a platform with ${title}`, () => {
      const controller = new Controller()
      const reason = new RpcError('timeout')
      const seen: unknown[] = []
      controller.signal.addEventListener('abort', () => seen.push(controller.signal.reason))
      abortWith(controller, reason)
      expect(seen).to.deep.equal([reason])
      expect([controller.signal.aborted, controller.signal.reason]).to.deep.equal([true, reason])
    })

    it(`keeps the first reason, on a platform with ${title}`, () => {
      const controller = new Controller()
      const reason = new RpcError('timeout')
      abortWith(controller, reason)
      abortWith(controller, new RpcError('aborted'))
      expect(controller.signal.reason).to.equal(reason)
    })
  }
})
