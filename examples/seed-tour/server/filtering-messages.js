// README of node-token-sockjs: Publish - Subscribe Interface, Filtering Messages.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

var options = {
// ---- as in the README
	filter: function(socket, channel, message){
		if(socket.auth.email === "foo")
			delete message.bar;
		return message;
	}
// ----
}

/** The server's `filter` option. */
export const filter = options.filter
