// The page: the nodes, the hall, and clients in it, each with a connection of its own.

import { Client } from './client.js'
import { Hall } from './hall.js'
import { nameOf } from './names.js'
import { Nodes } from './nodes.js'

/** Milliseconds between two words when everybody talks. */
const PAUSE = 400

const nodes = new Nodes(document.getElementById('nodes'), document.getElementById('news'))
nodes.follow(new TokenSocket({ authentication: { name: 'watcher' } }))
const hall = new Hall(nodes)
const clients = []
let talking

function add() {
  const client = new Client(nameOf(clients.length), hall)
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
