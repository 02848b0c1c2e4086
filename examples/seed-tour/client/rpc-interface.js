// README of token-sockjs-client: RPC Interface.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

/** Calls functions of the server. */
export async function callServer({ socket }) {
// ---- as in the README
// issue remote procedure calls to the server
socket.rpc("echo", { foo: "bar" }, function(error, resp){
	console.log("Response: ", error, resp);
});

// issue remote procedure calls to a nested controller on the server
socket.rpc("something.nested", { foo: "bar" }, function(error, resp){
	console.log("Response: ", error, resp);
});
// ----
  // New: without a callback it returns a promise. This one is answered after the two before it.
  console.log('By promise:', await socket.rpc('echo', 'hello'))
}

/** Puts other functions in the place of those that the server may call. */
export async function registerActions({ tokenServer, socket }) {
  const { actions } = socket
  const [remote] = tokenServer.sockets()
// ---- as in the README
// it's also possible to modify the socket's available actions
// this will overwrite any current actions, to modify them in place change socket.actions directly
socket.register({
	echo: function(data, callback){
		callback(null, data);
	}
});
// ----
  console.log('The registered function answers:', await tokenServer.rpc(remote, 'echo', { foo: 'bar' }))
  socket.actions.added = (_data, callback) => callback(null, 'in place')
  console.log('The one added to socket.actions:', await tokenServer.rpc(remote, 'added'))
  socket.register(actions)
}
