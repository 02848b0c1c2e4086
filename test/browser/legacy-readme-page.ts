/**
 * The browser snippets of the legacy client's README, as they stand there, in a page with two script tags. Not an HTML file,
 * since the formatter would change them.
 */
export const LEGACY_README_PAGE = `<!doctype html>
<meta charset="utf-8">
<title>The legacy client’s README</title>
<script src="https://yourserver.com/sockjs.min.js"></script>
<script src="https://yourserver.com/sockets/token-socket.min.js"></script>
<script>
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
</script>
<script>
  // SockJS has no use for this transport in a page without an origin, such as a file.
  if (location.search !== '?xhr-polling') delete options.sockjs
</script>
<script>
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
</script>
<script>
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
</script>
<script>
  function register() {
// ---- as in the README
// it's also possible to modify the socket's available actions
// this will overwrite any current actions, to modify them in place change socket.actions directly
socket.register({
	echo: function(data, callback){
		callback(null, data);
	}
});
// ----
  }
</script>
<script>
// ---- as in the README
socket.onmessage(function(channel, message){
	console.log("Got message on channel!", channel, message);
});
// ----
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
// ---- as in the README
socket.subscribe("channel1");
// ----
// ---- as in the README
socket.publish("channel1", { foo: "bar" });
// ----
// ---- as in the README
socket.broadcast({ foo: "bar" });
// ----
  function leave() {
// ---- as in the README
socket.unsubscribe("channel1");
// ----
  }
  function end() {
// ---- as in the README
socket.end(function(){
	console.log("Socket closed");
});
// ----
  }
</script>
`
