// What a hostile page tries against another site whose user's browser it runs in. Each attempt answers with what it got:
// a text if it got anything of use, `null` if it got nothing.

/** Milliseconds after which an attempt that hears nothing at all has got nothing. */
const PATIENCE = 5000

const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/

/** Its token, if a text holds one. */
const tokenIn = (text) => TOKEN.exec(String(text))?.[0] ?? null

/** Resolves to what `start` gives its argument first, or to `null`. */
function first(start) {
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE, null)
    start(resolve)
  })
}

/** Puts an element into the page and waits until it has loaded, or has not. */
const loaded = (tag, properties) =>
  first((resolve) => {
    const element = Object.assign(document.createElement(tag), properties)
    element.onload = () => resolve(element)
    element.onerror = () => resolve(element)
    document.body.append(element)
  })

/** What a window shows of itself to this page. */
function textOf(shown) {
  try {
    return shown.document.body.textContent
  } catch {
    return null
  }
}

function isOwn(shown) {
  try {
    return shown.location.href === 'about:blank'
  } catch {
    return false
  }
}

/** Sends a form into a frame. */
async function submit(action, method, fields = {}) {
  const frame = await loaded('iframe', { name: `frame${Math.random()}` })
  const form = Object.assign(document.createElement('form'), { action, method, target: frame.name })
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement('input'), { name, value }))
  }
  document.body.append(form)
  return first((resolve) => {
    frame.onload = () => resolve(tokenIn(textOf(frame.contentWindow)))
    form.submit()
  })
}

/** Runs a script of the other site, which may call what it likes. */
async function runScript(src, properties = {}) {
  let got = null
  window.stolen = (data) => {
    got ??= JSON.stringify(data)
  }
  window.tokens = window.stolen
  await loaded('script', { src, ...properties })
  return tokenIn(got) ?? got
}

async function ask(url, init) {
  const response = await fetch(url, init)
  return tokenIn(await response.text())
}

function askByXhr(method, url) {
  return first((resolve) => {
    const request = new XMLHttpRequest()
    request.open(method, url)
    request.withCredentials = true
    request.onloadend = () => resolve(tokenIn(request.responseText))
    request.send()
  })
}

async function openSocket(url) {
  const socket = new WebSocket(url)
  const got = await first((resolve) => {
    socket.onopen = () => resolve(`open: ${url}`)
    socket.onclose = () => resolve(null)
  })
  socket.close()
  return got
}

async function openEvents(url) {
  const source = new EventSource(url, { withCredentials: true })
  const got = await first((resolve) => {
    source.onopen = () => resolve(`open: ${url}`)
    source.onmessage = ({ data }) => resolve(`heard: ${data}`)
    source.onerror = () => resolve(null)
  })
  source.close()
  return got
}

/** The first bytes that a response gives this page to read. */
async function firstBytes(url, init) {
  const response = await fetch(url, init)
  const reader = response.body.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return value ? `heard ${value.length} bytes` : null
}

/** A page of the other site in a frame: what it says to this one, and what can be seen of it. */
async function openFrame(url) {
  return first((resolve) => {
    addEventListener('message', ({ data }) => resolve(`said: ${data}`))
    loaded('iframe', { src: url }).then((frame) => {
      const seen = frame && tokenIn(textOf(frame.contentWindow))
      // What a frame of another process said before it was loaded may come after that.
      if (seen) resolve(seen)
      else setTimeout(() => resolve(null), 250)
    })
  })
}

let sessions = 0
const session = (server) => `${server}/sockets/000/hostile${++sessions}x${Date.now()}`

/** By name, what to do against a server at this address. */
window.attempts = {
  'fetch by POST': (server) => ask(`${server}/socket/token`, { method: 'POST', credentials: 'include' }),
  'fetch by GET': (server) => ask(`${server}/socket/token`, { credentials: 'include' }),
  'fetch with a callback': (server) => ask(`${server}/socket/token?callback=x`, { credentials: 'include' }),
  'fetch that hides its address': (server) =>
    ask(`${server}/socket/token`, { method: 'POST', credentials: 'include', referrerPolicy: 'no-referrer' }),
  'fetch with a preflight': (server) =>
    ask(`${server}/socket/token`, {
      method: 'POST',
      credentials: 'include',
      headers: { 'X-Requested-With': 'x' },
    }),
  'fetch without CORS': (server) =>
    ask(`${server}/socket/token`, { method: 'POST', credentials: 'include', mode: 'no-cors' }),
  'XHR by POST': (server) => askByXhr('POST', `${server}/socket/token`),
  'XHR by GET': (server) => askByXhr('GET', `${server}/socket/token`),
  'a script': (server) => runScript(`${server}/socket/token?callback=stolen`),
  'a script that hides its address': (server) =>
    runScript(`${server}/socket/token?callback=stolen`, { referrerPolicy: 'no-referrer' }),
  'a script with credentials by CORS': (server) =>
    runScript(`${server}/socket/token?callback=stolen`, { crossOrigin: 'use-credentials' }),
  'a module script': (server) =>
    runScript(`${server}/socket/token?callback=stolen`, { type: 'module', crossOrigin: 'use-credentials' }),
  'a form by POST': (server) => submit(`${server}/socket/token`, 'post'),
  'a form by GET': (server) => submit(`${server}/socket/token`, 'get', { callback: 'parent.stolen' }),
  'a beacon': (server) => {
    navigator.sendBeacon(`${server}/socket/token`)
    return null
  },
  'an image': async (server) => {
    const image = await loaded('img', { src: `${server}/socket/token` })
    return image?.naturalWidth ? 'an image' : null
  },
  'a window with the token route': async (server) => {
    const popup = open(`${server}/socket/token`)
    const got = await first((resolve) => {
      const look = () => {
        // Until it is there the window is empty, and this page's own.
        if (isOwn(popup)) setTimeout(look, 10)
        else resolve(tokenIn(textOf(popup)))
      }
      look()
    })
    popup.close()
    return got
  },
  'a frame with the token route': (server) => openFrame(`${server}/socket/token`),
  'a frame with the iframe page': (server) => openFrame(`${server}/sockets/iframe.html`),
  'plain WebSocket': (server) => openSocket(`${server.replace('http', 'ws')}/sockets/websocket`),
  'SockJS’s WebSocket': (server) => openSocket(`${session(server).replace('http', 'ws')}/websocket`),
  eventsource: (server) => openEvents(`${session(server)}/eventsource`),
  xhr_streaming: (server) =>
    firstBytes(`${session(server)}/xhr_streaming`, { method: 'POST', credentials: 'include' }),
  xhr: (server) => firstBytes(`${session(server)}/xhr`, { method: 'POST', credentials: 'include' }),
  htmlfile: (server) => openFrame(`${session(server)}/htmlfile?c=parent.stolen`),
  jsonp: (server) => runScript(`${session(server)}/jsonp?c=stolen`),
  'jsonp that hides its address': (server) =>
    runScript(`${session(server)}/jsonp?c=stolen`, { referrerPolicy: 'no-referrer' }),
  info: (server) => firstBytes(`${server}/sockets/info`, { credentials: 'include' }),
}

/** Makes one attempt. What throws got nothing. */
window.attempt = (name, server) => Promise.resolve(window.attempts[name](server)).catch(() => null)
