// README of token-sockjs-client: Publish - Subscribe Interface. One function for each heading.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

/** Resolves after a given number of messages, to the last of them. */
export function nextMessages(socket, count) {
  return new Promise((resolve) => {
    let left = count
    const listener = (_channel, message) => {
      left -= 1
      if (left > 0) return
      socket.removeListener('message', listener)
      resolve(message)
    }
    socket.on('message', listener)
  })
}

/** Handle Messages on Channels. */
export function handleMessages({ socket }) {
// ---- as in the README
socket.onmessage(function(channel, message){
	console.log("Got message on channel!", channel, message);
});
// ----
}

/** Subscribe to a Channel. */
export async function subscribe({ socket }) {
// ---- as in the README
socket.subscribe("channel1");
// ----
  console.log('channels() at once:', socket.channels())
}

/** Publish on a Channel. */
export async function publish({ socket }) {
  const received = nextMessages(socket, 1)
// ---- as in the README
socket.publish("channel1", { foo: "bar" });
// ----
  await received
}

/** Broadcast on all Channels. */
export async function broadcast({ socket }) {
  const received = nextMessages(socket, 1)
// ---- as in the README
socket.broadcast({ foo: "bar" });
// ----
  await received
}

/** Unsubscribe from a Channel. */
export async function unsubscribe({ socket }) {
// ---- as in the README
socket.unsubscribe("channel1");
// ----
  console.log('channels() at once:', socket.channels())
}

/** Close Socket. */
export async function closeSocket({ socket }) {
// ---- as in the README
socket.end(function(){
	console.log("Socket closed");
});
// ----
  // New: it returns a promise, too.
  await socket.end()
}
