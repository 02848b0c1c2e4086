import { defineContract, procedure, type } from '@token-socket/contract'
import { connect } from '@token-socket/contract/client'

const contract = defineContract({
  server: { askBack: procedure({ input: type(), output: type() }) },
  client: { double: procedure({ input: type(), output: type() }) },
})

window.outcome = (async () => {
  const client = await connect(contract, { url: location.origin })
  client.handle({ double: (number) => number * 2 })
  return client.askBack(21)
})()
