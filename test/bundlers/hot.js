import { TokenSocket } from '@token-socket/client'

const VERSION = 1
const socket = new TokenSocket({ host: import.meta.env.VITE_HOST })
socket.ready(() => {
  document.title = `ready ${VERSION}`
})

import.meta.hot.accept()
import.meta.hot.dispose(() => socket.end())
