// README of node-token-sockjs: RPC Interface.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

/** What the README takes for given. */
const doSomethingAsync = (data, callback) => setImmediate(callback, null, { done: data })

/** Adds a function while the server runs, and calls a function of the client. */
export async function tryRpcInterface({ tokenServer, socket: client }) {
// ---- as in the README
tokenServer.socketController.ping = function(auth, data, callback, socket){
	// @auth is the data attached to the socket upon authentication
	// @data is the data provided by the client when issuing the RPC call
	// @callback is a function used to issue the final response to the client
	// @socket is an optional parameter that can be used to issue inner RPC calls, pub/sub operations, etc.

	doSomethingAsync(data, function(error, result){
		if(error)
			callback(error);
		else
			callback(null, result);
	});

};

// call an RPC function on the client

var sockets = tokenServer.sockets();
var socket = sockets[Math.random() * (sockets.length - 1) | 0];
tokenServer.rpc(socket, "saySomething", { foo: "bar" }, function(error, resp){
	console.log("Socket responded: ", error, resp);
});
// ----
  // It is answered after the call before it.
  await socket.rpc('nested.foo')
  console.log('The new function answers:', await client.rpc('ping', { foo: 'bar' }))
}

/** Calls an Express handler by its name in the `routes` option. */
export async function tryRoutes({ socket }) {
  console.log('Users:', JSON.stringify(await socket.rpc('user.read', { page: 1 })))
}
