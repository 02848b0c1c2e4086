// An application of Vue that uses the composables of docs/guide/frontends.md, in a page of jsdom. The test writes them
// beside a copy of this file. Each line of input is the name of what it does.

import { createInterface } from 'node:readline'
import { JSDOM } from 'jsdom'

const { window } = new JSDOM('<div id="app"></div>')
const { document, Element, Node, SVGElement } = window
Object.assign(globalThis, { window, document, Element, Node, SVGElement })
const { createApp, h, ref } = await import('vue')
const { provideSocket, useEvent, useMembers, useSocket, useStatus } = await import('./sockets.js')

const Room = {
  setup() {
    const socket = useSocket()
    const members = useMembers('room-1')
    useEvent('room-1', 'say', ({ data }) => console.log(`heard ${data}`))
    commands.say = () => socket.channel('room-1').send('say', 'hello')
    return () => h('p', `here: ${members.value.map(({ uid }) => uid).join()}`)
  },
}

const isShown = ref(true)
const commands = {
  hide: () => {
    isShown.value = false
  },
  end: () => app.unmount(),
}

const app = createApp({
  setup() {
    const socket = provideSocket({ host: process.argv[2], authentication: { name: 'ann' } })
    const status = useStatus(socket)
    Object.assign(commands, { suspend: () => socket.suspend(), resume: () => socket.resume() })
    return () => h('div', [h('p', `state: ${status.value.state}`), isShown.value && h(Room)])
  },
})
app.mount('#app')

let text = ''
new window.MutationObserver(() => {
  if (document.body.textContent === text) return
  text = document.body.textContent
  console.log(text)
}).observe(document.body, { childList: true, subtree: true, characterData: true })
for await (const line of createInterface({ input: process.stdin })) commands[line]()
