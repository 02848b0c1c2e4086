// README of node-token-sockjs: Cleanup.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

/** Sets how long a connection may stay without a token. It has 5 seconds from the start, so no application has to call this. */
export function tryCleanup({ tokenServer }) {
// ---- as in the README
// set a 5 second TTL 
tokenServer.enableCleanup(5000); 

// remove the TTL
tokenServer.disableCleanup();
// ----
  tokenServer.enableCleanup(5000)
  console.log('Connections have 5000 ms to bring their token')
}
