// README of token-sockjs-client: API Overview, Initialization. The blocks between the lines are as they stand there.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

import { TokenSocket } from '@token-socket/client'

/** Signs in over HTTP, as a browser does. @returns the session's cookie */
export async function signIn(address, email) {
  const response = await fetch(`${address}/sign-in?email=${encodeURIComponent(email)}`)
  return response.headers.get('set-cookie').split(';')[0]
}

/** Signs in and connects. @returns the socket, when it is ready */
export async function connect(address, email) {
// ---- as in the README
var options = {
	host: "https://yourserver.com",
	tokenPath: "/socket/token",
	socketPrefix: "/sockets",
	reconnect: true,
	authentication: {
		foo: "bar"
	},
	// maybe modify sockjs options...
	sockjs: {
		transports: ["xhr-polling"]
	}
};

var actions = {

	ping: function(data, callback){
		callback(null, data);
	},

	nested: {
		foo: function(data, callback){
			callback(null, "foo");
		}
	}

};
// ----

  // The tour's own server, and the session's cookie, which a browser would send by itself.
  options.host = address
  options.headers = { Cookie: await signIn(address, email) }

  // The functions that the server's README calls.
  actions.sayHello = (data, callback) => callback(null, `${data.message}, says the server`)
  actions.saySomething = (data, callback) => callback(null, { said: data })

// ---- as in the README
var socket = new TokenSocket(options, actions);

// when the socket is connected and authenticated the ready function will be called
socket.ready(function(error){
	if(error)
		console.log("Error creating websocket!", error);
});

// it's also possible to hook into the reconnection event
socket.onreconnect(function(error){
	if(error)
		console.log("Error reconnecting websocket!", error);
});
// ----

  // New: without a function it returns a promise.
  await socket.ready()
  console.log(`${email} is ready, over ${socket.transport}`)
  return socket
}
