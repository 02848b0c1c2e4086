// The page: the same snippets as the tour's, behind buttons.

import './zod-settings.js'
import { connect, safe } from '@token-socket/contract/client'
import { contract } from '../contract.js'
import { element, note, onSubmit } from './page.js'

const client = await connect(contract, { url: location.origin })

function show(state) {
  element('state').dataset.state = state
  element('state-name').textContent = state
}

client.$socket.on('state', show)
show(client.$socket.state)

client.$onError(({ message }) => note('bad', '$onError', message))
client.onSendGreeting(({ greeting }) => note('good', 'onSendGreeting', greeting))
client.onSendNotification(({ topic, message }) => note('good', 'onSendNotification', `${topic}: ${message}`))

onSubmit('hello', () => client.sayHello({ name: element('name').value }))

// The types forbid it, and the check of what is sent finds it where there are none.
element('break').addEventListener('click', () => client.sayHello({ name: 5 }))

/** The function that ends each subscription, by topic. */
const subscriptions = new Map()

onSubmit('subscribe', () => {
  const topic = element('topic').value
  if (subscriptions.has(topic)) return
  const unlisten = client.$withReconnect(async () => {
    await client.subscribeToNotifications({ topic })
    note('soft', '$withReconnect', `subscribed to ${topic}`)
  })
  subscriptions.set(topic, unlisten)
  const chip = document.createElement('li')
  chip.textContent = topic
  element('topics').append(chip)
})

onSubmit('announce', async () => {
  const announcement = { topic: element('to').value, message: element('message').value }
  const [error, answer] = await safe(client.announce(announcement))
  if (error?.code === 'no_listener') note('bad', 'announce', `no window listens to ${error.data.topic}`)
  else if (error) note('bad', 'announce', error.message)
  else note('soft', 'announce', `reached ${answer.reached === 1 ? '1 window' : `${answer.reached} windows`}`)
})

element('cut').addEventListener('click', () => client.cutTheLine())

// Until here the forms have no listeners: the browser would send them as forms of old.
element('forms').inert = false
note('soft', 'connect', 'ready')
