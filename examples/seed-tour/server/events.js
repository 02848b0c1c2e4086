// README of node-token-sockjs: Events.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

/** Attaches the listeners. */
export function addListeners(tokenServer) {
// ---- as in the README
tokenServer.on("authentication", function(socket, auth, callback){
	// maybe immediately say hello
	tokenServer.rpc(socket, "sayHello", { message: "hello, " + auth.email }, function(error, resp){
		console.log("Socket client says: ", error, resp);
		callback(); // the authentication event listener callback does not require any arguments
	});
});

// enforce access control on publish - subscribe events

tokenServer.on("subscribe", function(socket, data, callback){
	console.log("Socket attempting to subscribe: ", socket.auth, data.channel);
	callback(null, true); // socket will be allowed to subscribe
});

tokenServer.on("publish", function(socket, data, callback){
	console.log("Socket attempting to publish: ", socket.auth, data.channel, data.data);
	callback(null, false); // socket will not be allowed to publish
});

// in this example the broadcast action will be disallowed

tokenServer.on("broadcast", function(socket, data, callback){
	console.log("Socket attempting to broadcast: ", socket.auth, data.data);
	callback(null, true); 
});

tokenServer.on("broadcast", function(socket, data, callback){
	console.log("Socket attempting to broadcast: ", socket.auth, data.data);
	callback(null, false); 
});
// ----
}

/** What the listeners mean to a client. */
export async function tryEvents({ socket }) {
  await socket.subscribe('channel1')
  console.log('The subscription is allowed')
  await socket.unsubscribe('channel1')
  await socket.publish('channel1', 1).catch((error) => console.log('The publication is refused:', error.code))
  await socket.broadcast(2).catch((error) => console.log('The broadcast is refused:', error.code))
}

/** Takes them away, so that the rest of the tour is not refused. */
export function removeListeners({ tokenServer }) {
// ---- as in the README
// listener functions can be removed with removeListener and removeAllListeners

tokenServer.removeAllListeners("authentication");
// ----
  for (const event of ['subscribe', 'publish', 'broadcast']) tokenServer.removeAllListeners(event)
  console.log('No listener is left:', tokenServer.eventNames().length === 0)
}
