// What the page is made of, without a word about sockets.

const KEPT = 12

export function element(id) {
  return document.getElementById(id)
}

/** Runs something when a form is sent; the page stays. */
export function onSubmit(id, run) {
  element(id).addEventListener('submit', (event) => {
    event.preventDefault()
    run()
  })
}

/** Writes a line into the list of what happened, newest first. */
export function note(kind, source, text) {
  const line = document.createElement('li')
  line.dataset.kind = kind
  const name = document.createElement('code')
  name.textContent = source
  line.append(name, ` ${text}`)
  element('log').prepend(line)
  element('log').children[KEPT]?.remove()
}
