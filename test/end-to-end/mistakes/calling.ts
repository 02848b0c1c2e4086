/** Mistakes in calls, and on channels. */
import { ASKING, calling, ECHO, instead, SUBSCRIBE, withOptions } from './edits.js'
import type { Mistake } from './first-programs.js'

/** A rule that lets nothing subscribe to the channel `chat`. */
const closed = [withOptions('channels: { chat: { subscribe: (socket) => false } }')]
const wait = '\nawait new Promise(() => {})'

export const CALLING: readonly Mistake[] = [
  {
    mistake: 'a misspelt function',
    client: [calling("await socket.rpc('people.whoAmI')")],
    says: [/Function not found: people\.whoAmI/, /did you mean people\.whoami\?/],
  },
  {
    mistake: 'a misspelt part of a nested name',
    client: [calling("await socket.rpc('peple.whoami')")],
    says: [/Function not found: peple\.whoami/, /did you mean people\.whoami\?/],
  },
  {
    mistake: 'a misspelt function, as the server sees it',
    client: [calling("await socket.rpc('people.whoAmI')")],
    says: [/called a function that is not there/, /'people\.whoAmI'/],
  },
  {
    mistake: 'a rule of `functions` with a misspelt name',
    server: [withOptions('functions: { ecko: { timeout: 1000 } }')],
    says: [/a rule of functions means no function that is there/, /ecko/, /didYouMean: 'echo'/],
  },
  {
    mistake: 'a function that never calls back',
    server: [[ECHO, 'echo: (auth, data, callback) => {},'], withOptions('limits: { callTimeout: 200 }')],
    client: [calling("await socket.rpc('echo')")],
    says: [/did not answer in time/, /function: 'echo'/, /declared callback, never called it/],
  },
  {
    mistake: 'a function that calls back twice',
    server: [[ECHO, 'echo: (auth, data, callback) => { callback(null, 1); callback(null, 2) },']],
    client: [calling("await socket.rpc('echo')")],
    says: [/a function answered twice/, /function: 'echo'/],
  },
  {
    mistake: 'a function that calls back later, wrapped in a function of any arguments',
    server: [[ECHO, 'echo: (...args) => { setTimeout(() => args[2](null, 1), 1) },']],
    client: [calling("await socket.rpc('echo')")],
    says: [/a function answered twice/, /function: 'echo'/, /has to declare it \(function\.length\)/],
  },
  {
    mistake: 'a function that calls back later, whose callback comes after a default',
    server: [[ECHO, 'echo: (auth, data = {}, callback) => { setTimeout(() => callback(null, 1), 1) },']],
    client: [calling("await socket.rpc('echo')")],
    says: [/a function answered twice/, /function: 'echo'/, /has to declare it \(function\.length\)/],
  },
  {
    mistake: 'a Map as an argument',
    client: [calling("await socket.rpc('echo', { all: new Map([[1, 2]]) })")],
    says: [/rpc\("echo"\): data\.all is a Map/, /Object\.fromEntries/],
  },
  {
    mistake: 'bytes as an argument',
    client: [calling("await socket.rpc('echo', { file: new Uint8Array(5) })")],
    says: [/rpc\("echo"\): data\.file is a Uint8Array/, /base64/],
  },
  {
    mistake: 'NaN as an argument',
    client: [calling("await socket.rpc('echo', { total: Number('x') })")],
    says: [/rpc\("echo"\): data\.total is NaN/, /send a finite number/],
  },
  {
    mistake: 'a function inside an argument',
    client: [calling("await socket.rpc('echo', { then: () => 1 })")],
    says: [/rpc\("echo"\): data\.then is a function/],
  },
  {
    mistake: 'a BigInt as an argument',
    client: [calling("await socket.rpc('echo', { id: 5n })")],
    says: [/Not serializable as JSON/, /BigInt/],
  },
  {
    mistake: 'a circular argument',
    client: [calling("const person = {}\nperson.friend = person\nawait socket.rpc('echo', person)")],
    says: [/Not serializable as JSON/, /circular/, /friend/],
  },
  {
    mistake: 'a Map as an answer',
    server: [[ECHO, 'echo: () => ({ all: new Map([[1, 2]]) }),']],
    client: [calling("await socket.rpc('echo')")],
    says: [/JSON changes an answer/, /'echo'/, /'data\.all'/, /Object\.fromEntries/],
  },
  {
    mistake: 'an argument of 2 MB',
    client: [calling("await socket.rpc('echo', 'x'.repeat(2 * 1024 * 1024))")],
    says: [/Too large/, /limits\.message/, /echo/, /1048576/],
  },
  {
    mistake: 'subscribing without the right to',
    server: closed,
    says: [/Forbidden: chat/],
  },
  {
    mistake: 'a subscription that is refused and not awaited',
    server: closed,
    client: [[SUBSCRIBE, `socket.subscribe('chat')${wait}`]],
    says: [/subscribe\("chat"\) failed, and nothing handles it/, /Await it/],
  },
  {
    mistake: 'a handler bound without the right to',
    server: closed,
    client: [[SUBSCRIBE, `socket.channel('chat').bind('line', () => {})${wait}`]],
    says: [/Forbidden: chat/, /socket\.on\('error', listener\)/],
  },
  {
    mistake: 'a rule that returns something else than true, false or a reason',
    server: [withOptions('channels: { chat: { subscribe: (socket) => socket.uid ?? {} } }')],
    says: [/rule/, /neither true nor false/, /chat/],
  },
  {
    mistake: 'a veto listener that returns nothing',
    server: [instead("sockets.on('publish', (socket, { channel }) => { console.log(channel) })")],
    says: [/listener of publish returned neither true nor false/, /Return true or false/],
  },
  {
    mistake: 'a veto listener that never answers',
    server: [
      instead("sockets.on('publish', (socket, { channel }, callback) => {})"),
      withOptions('limits: { vetoTimeout: 200 }'),
    ],
    says: [/listener did not answer within limits\.vetoTimeout/, /event: 'publish'/],
  },
  {
    mistake: 'a veto listener that throws',
    server: [instead("sockets.on('publish', (socket, { channel }) => channel.name.first)")],
    says: [/event: 'publish'/, /reading 'first'/],
  },
  {
    mistake: 'reading the history of a channel that keeps nothing',
    client: [[SUBSCRIBE, `${SUBSCRIBE}\nawait socket.history('chat')`]],
    says: [/history was read of a channel that keeps nothing/, /'chat'/, /history: \{ ttl/],
  },
  {
    mistake: 'members of a channel without presence',
    server: [instead("sockets.on('subscribed', async () => console.log(await sockets.members('chat')))")],
    says: [/members/, /without presence/, /'chat'/, /presence: true/],
  },
  {
    mistake: 'a misspelt event of the client',
    client: [calling("socket.on('mesage', console.log)")],
    says: [/no event "mesage"/, /Did you mean "message"\?/],
  },
  {
    mistake: 'emitting as with Socket.IO',
    client: [calling("socket.emit('chat', { text: 'Hello' })")],
    says: [/socket\.emit\("chat"\) sends nothing/, /socket\.rpc\("chat", data\)/, /socket\.publish/],
  },
  {
    mistake: 'calling an action that the client has not',
    server: [instead("sockets.on('connected', (socket) => socket.rpc('aks', 'How are you?'))")],
    says: [/Function not found: aks/, /event: 'connected'/],
  },
  {
    mistake: 'two arguments for a function',
    server: [[ECHO, 'echo: (auth, a, b) => a + b,']],
    client: [calling("await socket.rpc('echo', 1, 2)")],
    says: [/rpc\("echo"\)/, /one value/],
  },
  {
    mistake: 'a function that throws',
    server: [[ECHO, "echo: () => { throw new Error('no database') },"]],
    client: [calling("await socket.rpc('echo')")],
    says: [/function: 'echo'/, /no database/],
  },
  {
    mistake: 'an object as the channel',
    client: [calling("await socket.publish({ channel: 'chat', data: 1 })")],
    says: [/channel has to be a string/],
  },
  {
    mistake: 'a Map in a publication of the server',
    server: [instead("sockets.on('connected', () => sockets.publish('chat', { all: new Map() }))")],
    says: [/JSON changes a publication/, /'chat'/, /'data\.all'/, /Object\.fromEntries/],
  },
  {
    mistake: 'reading the history before subscribing',
    client: [calling("await socket.history('chat')")],
    says: [/Forbidden/, /subscribe first/],
  },
  {
    mistake: 'sending to a socket that is gone',
    server: [
      instead(
        "sockets.on('disconnected', (socket) => socket.rpc('ask', 'Still here?').catch(console.error))",
      ),
    ],
    says: [/connection/, /ask/],
  },
  {
    mistake: 'publishing to a room as with Socket.IO',
    isServerOnly: true,
    server: [instead("sockets.to('room').emit('line', 'Hello')")],
    says: [/sockets\.publish\(channel, data\)/, /to\(\)/],
  },
  {
    mistake: 'emitting to all as with Socket.IO',
    isServerOnly: true,
    server: [instead("sockets.emit('line', 'Hello')")],
    says: [/sockets\.emit\("line"\) sends nothing/, /sockets\.publish\(channel, data\)/],
  },
  {
    mistake: 'joining a room as with Socket.IO',
    server: [instead("sockets.on('connected', (socket) => socket.join('room'))")],
    says: [/socket\.subscribe\(channel\)/, /join/],
  },
  {
    mistake: 'emitting to a client as with Socket.IO',
    server: [instead("sockets.on('connected', (socket) => socket.emit('line', 'Hello'))")],
    says: [/emit/, /socket\.rpc\(name, data\)/],
  },
  {
    mistake: 'listening to a client as with Socket.IO',
    server: [instead("sockets.on('connected', (socket) => socket.on('line', console.log))")],
    says: [/on\(\)/, /socketController/],
  },
  {
    mistake: 'a Map in a broadcast',
    server: [instead("sockets.on('connected', () => sockets.broadcast({ all: new Map() }))")],
    says: [/JSON changes a broadcast/, /'data\.all'/, /Object\.fromEntries/],
  },
  {
    mistake: 'a Map in the answer of an action of the client',
    server: [ASKING],
    client: [calling("socket.register({ ask: () => ({ all: new Map() }) })\nawait socket.rpc('echo')")],
    says: [/answer of the action "ask"/, /data\.all is a Map/, /Object\.fromEntries/],
  },
  {
    mistake: 'an action of the client that never calls its callback',
    server: [ASKING],
    client: [
      calling("socket.register({ ask: (data, callback) => {} })\nawait socket.rpc('echo').catch(() => {})"),
    ],
    says: [/action "ask" declares a callback and did not call it in time/, /return the answer/],
  },
  {
    mistake: 'a Map in a call to the client',
    server: [instead("sockets.on('connected', (socket) => socket.rpc('ask', { all: new Map() }))")],
    says: [/JSON changes the argument of a call/, /'ask'/, /'data\.all'/, /Object\.fromEntries/],
  },
]
