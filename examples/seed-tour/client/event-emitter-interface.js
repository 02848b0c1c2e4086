// README of token-sockjs-client: Event Emitter Interface.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

/** Listens for the socket's events, then lets the server close the connection: the socket comes back by itself. */
export async function tryEvents({ tokenServer, socket }) {
// ---- as in the README
socket.on("ready", function(error){
	// ...
});

socket.on("reconnect", function(error){
	// ...
});

socket.on("message", function(channel, message){
	// ...
});
// ----
  await socket.subscribe('channel1')
  const [before] = tokenServer.sockets()
  const back = new Promise((resolve) => socket.once('reconnect', resolve))
  before.end()
  console.log('reconnect, with an error:', Boolean(await back))
  // Subscriptions are restored before anything else goes out.
  await socket.rpc('echo')
  const [after] = tokenServer.sockets()
  console.log('Another socket to the server:', after.sid !== before.sid, '- with the same channels:', after.channels)
}
