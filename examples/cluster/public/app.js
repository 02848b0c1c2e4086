// The page: the hall, and clients in it, each with a connection of its own.

import { Client } from './client.js'
import { Hall } from './hall.js'

const NAMES = ['Ada', 'Bob', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus', 'Hana']

/** Milliseconds between two words when everybody talks. */
const PAUSE = 400

const hall = new Hall(document.getElementById('nodes'))
const clients = []
let talking

/** Two windows are not to have the same people. */
const suffix = Math.floor(Math.random() * 900 + 100)

function add() {
  const round = Math.floor(clients.length / NAMES.length)
  const client = new Client(`${NAMES[clients.length % NAMES.length]}${suffix}${round || ''}`, hall)
  clients.push(client)
  document.getElementById('clients').append(client.element)
}

function talk(isOn) {
  clearInterval(talking)
  let turn = 0
  if (isOn) talking = setInterval(() => clients[turn++ % clients.length].sayHello(), PAUSE)
}

document.getElementById('add').addEventListener('click', add)
document.getElementById('talk').addEventListener('change', ({ target }) => talk(target.checked))
for (let count = 0; count < 4; count += 1) add()
setInterval(() => {
  for (const client of clients) client.showCount()
}, 200)
