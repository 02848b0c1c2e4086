// README of node-token-sockjs: Publish - Subscribe Interface. One function for each heading.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

import { nextMessages } from '../client/publish-subscribe.js'

/** Subscribe a socket to a channel. */
export async function subscribeSockets({ tokenServer, socket: client }) {
// ---- as in the README
var sockets = tokenServer.sockets();
sockets.forEach(function(socket){
	tokenServer.subscribe(socket, "channel");
});
// ----
  // What a client answers to a call shows that it has got what was sent before the call.
  await tokenServer.rpc(sockets[0], 'nested.foo')
  console.log('The client knows its channels:', client.channels())
}

/** Publish a message. */
export async function publishMessage({ tokenServer, socket }) {
  const received = nextMessages(socket, 1)
// ---- as in the README
tokenServer.publish("channel", { foo: "bar" });
// ----
  await received
}

/** Broadcast a message. */
export async function broadcastMessage({ tokenServer, socket }) {
  await socket.subscribe('another')
  const received = nextMessages(socket, 2)
// ---- as in the README
tokenServer.broadcast({ foo: "bar" });
// ----
  await received
}

/** List Channels. */
export async function listChannels({ tokenServer, socket }) {
  const received = nextMessages(socket, 2)
// ---- as in the README
var channels = tokenServer.channels();
channels.forEach(function(channel){
	tokenServer.publish(channel, { foo: "bar" });
});
// ----
  console.log('The server’s channels:', channels)
  await received
}

/** Inspect channel sockets. The README's snippet calls the server `tokenSocket`. */
export async function inspectChannel({ tokenServer: tokenSocket, socket }) {
  await socket.subscribe('foo')
// ---- as in the README
var channel = "foo";
var sockets = tokenSocket.channelSockets(channel);
console.log("Channel " + channel + " has " + sockets.length + " sockets connected.");
// ----
}

/** Filtering Messages: each socket has its own copy of what is filtered. */
export async function filterMessages({ tokenServer, socket, connectAs }) {
  const foo = await connectAs('foo')
  await Promise.all([socket.subscribe('filtered'), foo.subscribe('filtered')])
  const received = Promise.all([nextMessages(foo, 1), nextMessages(socket, 1)])
  tokenServer.publish('filtered', { foo: 1, bar: 2 })
  const [filtered, whole] = await received
  console.log('foo gets', filtered, '- ada gets', whole)
  await foo.end()
}

/** Unsubscribe a socket from a channel. */
export async function unsubscribeSockets({ tokenServer, socket: client }) {
// ---- as in the README
var sockets = tokenServer.sockets();
sockets.forEach(function(socket){
	tokenServer.unsubscribe(socket, "channel");
});

// or unsubscribe all sockets from a channel
tokenServer.unsubscribeAll("channel");
// ----
  await tokenServer.unsubscribeAll('another')
  await tokenServer.rpc(sockets[0], 'nested.foo')
  console.log('The client knows its channels:', client.channels())
}

/** Shutdown. */
export async function shutDown({ tokenServer, stop }) {
// ---- as in the README
tokenServer.shutdown();
// ----
  // New: it returns a promise, which resolves when nothing is left open.
  await tokenServer.shutdown()
  await stop()
  console.log('The server is shut down')
}
