import { setTimeout as sleep } from 'node:timers/promises'
import { TokenSocket, type TokenSocketOptions } from '@token-socket/client'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import SockJS from 'sockjs-client'
import { type OpenBrowser, openBrowser } from './chromium.js'
import { ExampleServer } from './example-server.js'

/** What the processes are that it has started, as it says. */
function processes(output: string): number[] {
  return [...output.matchAll(/ runs \(process (\d+)\)/g)].map(([, pid]) => Number(pid))
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Waits until something is so; the test's own time limit ends the wait. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50)
}

describe('the cluster', function () {
  this.timeout(120_000)
  let server: ExampleServer

  const start = async (...args: readonly string[]) => {
    server = await ExampleServer.create('cluster', ...args)
    await server.start()
  }

  /** Ends it, and sees to it that nothing of it stays. */
  const stop = async () => {
    const { output } = await server.ended('SIGTERM')
    await server.remove()
    expect(processes(output)).to.not.be.empty
    expect(processes(output).filter(isRunning)).to.deep.equal([])
  }

  describe('in Chromium, behind nginx', () => {
    let chromium: OpenBrowser
    let page: Page
    let errors: string[]

    before(async () => {
      chromium = await openBrowser()
      await start()
    })

    after(async () => {
      await chromium.close()
      await stop()
    })

    const texts = (selector: string) => page.locator(selector).allInnerTexts()
    const client = (index: number) => `.client:nth-child(${index})`

    /** All clients of the page are ready and on a node that is known. */
    const allAreReady = async () => {
      const states = await texts('.client .state')
      const nodes = await texts('.client .at')
      return states.every((state) => state === 'ready') && nodes.every((node) => /^on node \d$/.test(node))
    }

    const allHaveHeard = async (count: number) =>
      (await texts('.count')).every((text) => Number(/heard (\d+)/.exec(text)?.[1]) >= count)

    /** The proxy chooses; with every client it is less likely that one node has them all. */
    const useBothNodes = async () => {
      await until(allAreReady)
      while (new Set(await texts('.client .at')).size < 2) {
        await page.getByRole('button', { name: 'Add a client' }).click()
        await until(allAreReady)
      }
    }

    beforeEach(async () => {
      page = await chromium.browser.newPage()
      page.setDefaultTimeout(10_000)
      errors = []
      page.on('pageerror', ({ message }) => errors.push(message))
      await page.goto(server.address)
      await useBothNodes()
    })

    afterEach(async () => {
      await page.close()
      expect(errors).to.deep.equal([])
    })

    /** Records what the cards of all nodes say while a state lasts, which may be over before a test looks. */
    const recordTexts = (wanted: string) =>
      page.evaluate((state) => {
        const texts: Record<string, string> = {}
        for (const card of document.querySelectorAll<HTMLElement>('.node')) {
          new MutationObserver(() => {
            if (card.dataset.state !== state) return
            texts[card.dataset.node ?? ''] = card.querySelector('.node-state')?.textContent ?? ''
          }).observe(card, { attributes: true, childList: true, characterData: true, subtree: true })
        }
        Object.assign(window, { texts })
      }, wanted)

    const recordedTexts = () =>
      page.evaluate(() => {
        const { texts } = window as unknown as { texts: Record<string, string> }
        return Object.entries(texts).sort()
      })

    /** Records what live regions announce, and each state of a node's card. */
    const record = (node: string) =>
      page.evaluate((name) => {
        const announced: string[] = []
        const change = { childList: true, characterData: true, subtree: true }
        const live = '[aria-live]:not([aria-live="off"]), [role="status"], [role="log"], [role="alert"]'
        for (const region of document.querySelectorAll(live)) {
          new MutationObserver(() => announced.push(region.textContent ?? '')).observe(region, change)
        }
        const card = document.querySelector<HTMLElement>(`.node[data-node="${name}"]`)
        if (!card) throw new Error(`There is no card of ${name}`)
        const states = [card.dataset.state]
        new MutationObserver(() => {
          if (states.at(-1) !== card.dataset.state) states.push(card.dataset.state)
        }).observe(card, { attributeFilter: ['data-state'] })
        Object.assign(window, { announced, states })
      }, node)

    const recorded = (what: 'announced' | 'states') =>
      page.evaluate((name) => (window as unknown as Record<string, string[]>)[name] ?? [], what)

    it('shows a killed node as down, starting and up, and announces each once', async () => {
      const node = (await page.locator(`${client(1)} .at`).innerText()).replace('on ', '')
      const state = page.locator(`.node[data-node="${node}"] .node-state`)
      expect(await state.innerText()).to.match(/^up for \d+ (s|min)$/)
      await record(node)
      await page.getByLabel('Everybody talks').check()
      await until(() => allHaveHeard(4))
      expect(await recorded('announced')).to.deep.equal([])
      await page
        .locator(client(1))
        .getByRole('button', { name: `Kill ${node}` })
        .click()
      await until(async () => (await recorded('states')).length >= 4)
      expect(await recorded('states')).to.deep.equal(['up', 'down', 'starting', 'up'])
      expect(await state.innerText()).to.match(/^up for [0-5] s$/)
      expect(await recorded('announced')).to.deep.equal([
        `${node} is down`,
        `${node} is starting`,
        `${node} is up`,
      ])
    })

    it('shows the states of the nodes to a page that is opened later', async () => {
      await until(
        async () => (await texts('.node-state')).filter((text) => text.startsWith('up for')).length === 2,
      )
      expect(await texts('.node h3')).to.deep.equal(['node 1', 'node 2'])
    })

    it('says that the states are unknown while no node answers', async () => {
      await until(async () => (await texts('.node[data-state="up"]')).length === 2)
      await recordTexts('unknown')
      // Again when they are back, as a node may start before the page is sure.
      await until(async () => {
        const nodes = server.output.matchAll(/node \d runs \(process (\d+)\)/g)
        for (const [, pid] of nodes) if (isRunning(Number(pid))) process.kill(Number(pid), 'SIGKILL')
        return (await recordedTexts()).length === 2
      })
      expect(await recordedTexts()).to.deep.equal([
        ['node 1', 'unknown, no node answers'],
        ['node 2', 'unknown, no node answers'],
      ])
      await until(async () => (await texts('.node[data-state="up"]')).length === 2)
      await until(allAreReady)
    })

    it('kills no other node by a click while the client comes back', async () => {
      const node = (await page.locator(`${client(1)} .at`).innerText()).replace('on ', '')
      const [other = ''] = (await texts('.node h3')).filter((name) => name !== node)
      await record(other)
      const clicked = page.evaluate(
        () =>
          new Promise<void>((resolve) => {
            const state = document.querySelector<HTMLElement>('.client .state')
            const button = document.querySelector<HTMLElement>('.client .crash')
            if (!state || !button) throw new Error('There is no client')
            new MutationObserver(() => {
              if (state.dataset.state !== 'ready') button.click()
              if (state.dataset.state === 'connecting') resolve()
            }).observe(state, { attributeFilter: ['data-state'] })
          }),
      )
      await page.locator(`${client(1)} .crash`).click()
      await clicked
      await until(async () => (await page.locator(`${client(1)} .at`).innerText()) === `on ${other}`)
      await page.locator(`.node[data-node="${node}"][data-state="up"]`).waitFor()
      expect(await recorded('states')).to.deep.equal(['up'])
    })

    it('shows no failure of a socket that another transport has replaced', async () => {
      const asked = new Promise<void>((resolve) => {
        page.routeWebSocket('**', (socket) => {
          const line = socket.connectToServer()
          // The question for the node's name is never answered.
          socket.onMessage((text) => (String(text).includes('"node"') ? resolve() : line.send(text)))
        })
      })
      await page.getByRole('button', { name: 'Add a client' }).click()
      const last = page.locator('.client').last()
      const shown = await last.locator('.problem').evaluateHandle((element) => {
        const texts: (string | null)[] = []
        new MutationObserver(() => texts.push(element.textContent)).observe(element, { childList: true })
        return texts
      })
      await asked
      await last.getByLabel('Transport').selectOption('xhr-polling')
      await last.getByText(/^on node \d$/).waitFor()
      expect(await shown.jsonValue()).to.deep.equal([])
    })

    it('shows by which node everybody is there', async () => {
      const served = async (node: string) => {
        const clients = page.locator('.client').filter({ has: page.getByText(`on ${node}`, { exact: true }) })
        return (await clients.locator('h3').allInnerTexts()).sort()
      }
      const shown = async (node: string) => (await texts(`.node[data-node="${node}"] li`)).sort()
      const nodes = ['node 1', 'node 2']
      // A client says by itself where it is, and so a little later.
      await until(async () => {
        const [own, all] = [await Promise.all(nodes.map(served)), await Promise.all(nodes.map(shown))]
        return own.flat().length > 0 && JSON.stringify(own) === JSON.stringify(all)
      })
    })

    it('lets words cross from one node to the other, by every transport', async () => {
      await page.locator(`${client(2)} select`).selectOption('xhr-streaming')
      await page.locator(`${client(3)} select`).selectOption('xhr-polling')
      await useBothNodes()
      await page.locator(`${client(1)} .hello`).click()
      const count = await page.locator('.client').count()
      for (let index = 1; index <= count; index += 1) {
        await page
          .locator(`${client(index)} .lines`)
          .getByText('hello 1')
          .waitFor()
      }
      expect(await texts('.lines .crossing small')).to.not.be.empty
    })

    it('loses nothing and sees nobody leave when a node is killed while everybody talks', async () => {
      const killed = await page.locator(`${client(1)} .at`).innerText()
      await page.getByLabel('Everybody talks').check()
      await until(() => allHaveHeard(2))
      await page.locator(`${client(1)} .crash`).click()
      await until(async () => (await page.locator(`${client(1)} .at`).innerText()) !== killed)
      await until(allAreReady)
      await until(() => allHaveHeard(8))
      await page.getByLabel('Everybody talks').uncheck()
      await until(async () => (await texts('.count')).every((text) => text.includes('misses 0')))
      const counts = await texts('.count')
      expect(counts.filter((text) => text.includes('recovered 1'))).to.not.be.empty
      expect(counts.filter((text) => !text.endsWith('gaps 0'))).to.deep.equal([])
      // Pollers of a page that was closed before may leave meanwhile.
      const notes = (await texts('.lines')).join('\n')
      const names = await texts('.client h3')
      expect(names.filter((name) => notes.includes(`${name} left`))).to.deep.equal([])
      expect((await texts('.problem')).join('')).to.equal('')
    })
  })

  for (const [name, ...args] of [
    ['behind HAProxy', '--proxy', 'haproxy'],
    ['of workers on one port', '--workers', '2'],
  ] as const) {
    describe(name, () => {
      let clients: TokenSocket[]

      before(async () => {
        // Its own SockJS is the one for browsers, which finds no transport in Node.
        Object.assign(globalThis, { SockJS })
        await start(...args)
      })

      after(stop)

      beforeEach(() => {
        clients = []
      })

      afterEach(() => Promise.all(clients.map((client) => client.end())))

      const connect = async (name: string, options: TokenSocketOptions) => {
        const { host } = new URL(server.address)
        const client = new TokenSocket({ host, authentication: { name }, ...options })
        client.on('error', () => {})
        clients.push(client)
        await client.ready()
        return client
      }

      const transports: Readonly<Record<string, TokenSocketOptions>> = {
        websocket: { transports: ['websocket'] },
        'xhr-streaming': { transports: ['sockjs'], sockjs: { transports: ['xhr-streaming'] } },
        'xhr-polling': { transports: ['sockjs'], sockjs: { transports: ['xhr-polling'] } },
      }

      for (const [transport, options] of Object.entries(transports)) {
        it(`serves clients by ${transport}, each by one node and all of them by both`, async () => {
          const nodes = new Set<unknown>()
          for (let index = 0; nodes.size < 2; index += 1) {
            const client = await connect(`client${index}`, options)
            const calls = Array.from({ length: 20 }, () => client.rpc('node'))
            const answers = new Set(await Promise.all(calls))
            expect(answers.size).to.equal(1)
            for (const node of answers) nodes.add(node)
          }
        })
      }

      it('brings clients to another node when theirs is killed, and starts it again', async () => {
        const client = await connect('ann', { transports: ['websocket'] })
        const heard: unknown[] = []
        client.channel('hall').bind('hello', ({ data }) => heard.push(data))
        await client.channel('hall').send('hello', 1)
        const back = new Promise((resolve) => {
          client.on('reconnect', (error) => error ?? resolve(undefined))
        })
        const node = await client.rpc('node')
        client.rpc('crash').catch(() => {})
        await back
        await client.channel('hall').send('hello', 2)
        await until(() => heard.length === 2)
        expect(heard).to.deep.equal([1, 2])
        const seen = new Set<unknown>()
        for (let index = 0; !seen.has(node); index += 1) {
          seen.add(await (await connect(`other${index}`, { transports: ['websocket'] })).rpc('node'))
        }
      })

      it('loses nothing while one node after the other is replaced', async () => {
        const listener = await connect('listener', { transports: ['websocket'] })
        const speaker = await connect('speaker', { transports: ['websocket'] })
        const heard: number[] = []
        listener.channel('hall').bind('hello', ({ data }) => heard.push(Number(data)))
        const gaps: string[] = []
        listener.channel('hall').on('gap', (reason) => gaps.push(reason))
        await listener.channel('hall').subscribe()
        const before = processes(server.output).length
        server.signal('SIGHUP')
        let said = 0
        while (processes(server.output).length < before + 2 || said < 20) {
          const idempotencyKey = `word ${said}`
          const outcome = await speaker
            .channel('hall')
            .send('hello', said, { idempotencyKey })
            .catch(({ code }) => code)
          if (typeof outcome === 'object') said += 1
          else expect(outcome).to.equal('connection_lost')
          // The hall keeps 100: no more may be said than that while the listener is away.
          await sleep(20)
        }
        await until(() => heard.length >= said || gaps.length > 0)
        expect(gaps).to.deep.equal([])
        expect(heard).to.deep.equal(Array.from({ length: said }, (_, index) => index))
      })
    })
  }
})

describe('the command line of the cluster', () => {
  for (const [args, problem] of [
    [['--nodes', '0'], '--nodes has to be a number from 1 to 16, not 0'],
    [['--workers', 'many'], '--workers has to be a number from 1 to 16, not many'],
    [['--proxy', 'apache'], '--proxy is nginx or haproxy, not apache'],
  ] as const) {
    it(`says what is wrong with ${args.join(' ')}, and leaves nothing`, async () => {
      const server = await ExampleServer.create('cluster', ...args)
      expect(await server.tryToStart()).to.equal(false)
      const { code, output } = await server.ended()
      await server.remove()
      expect(code).to.equal(1)
      expect(output).to.include(problem)
      expect(processes(output).filter(isRunning)).to.deep.equal([])
    })
  }
})
