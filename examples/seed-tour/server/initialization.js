// README of node-token-sockjs: API Overview, Initialization. The blocks between the lines are as they stand there.
// biome-ignore-all lint: the snippets are as the old README has them
// biome-ignore-all format: the snippets are as the old README has them

import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { TokenSocketServer } from '@token-socket/server'
import express from 'express'
import session from 'express-session'
import { filter } from './filtering-messages.js'

/** What the README takes for given: some work, and a model with users. */
const doSomething = (_req, callback) => setImmediate(callback)
const User = { read: async () => [{ name: 'Ada' }, { name: 'Grace' }] }

/** Starts the server. @returns `{ tokenServer, address, stop }` */
export async function startServer() {
  const app = express()

  // The sign-in, which is the application's own: sessions that have an email are signed in.
  app.use(session({ secret: 'seed-tour', resave: false, saveUninitialized: false }))
  app.use(function (req, res, next) {
    if (req.session.email) req.user = { email: req.session.email }
    next()
  })
  app.get('/sign-in', function (req, res) {
    req.session.email = req.query.email
    res.end()
  })

// ---- as in the README
var server = http.createServer(app);
// ----

// ---- as in the README
var authenticationFn = function(req, callback){
	doSomething(req, function(error){
		if(error)
			return callback(error); // socket will not be allowed to connect

		if(Math.random() < 0.5)
			callback(null, req.user); // socket will be issued a token and req.user will be attached to the socket
		else
			callback(null, true); // socket will be issued a token and req.session will be attached to the socket
	});
};

var readUsers = function(req, res){
	console.log("Request to read users:", req.hostname, req.ip, req.headers, req.query, req.body);
	User.read().then(function(users){
		res.json(users);
	})
	.catch(function(error){
		res.status(500);
		res.json({ error: error });
	});
};

app.get("/user/read", readUsers);

var controller = {
	
	echo: function(auth, data, callback){
		// here @auth is the second parameter from authenticationFn above, or req.session
		// see the RPC section below for more information
		callback(null, data);
	}
	
};

// this will be attached to the HTTP route used to issue tokens to sockets
var customMiddleware = function(req, res, next){
	req.foo = "bar";
	next();	
};
// ----

  // The function that the client's README calls.
  controller.something = { nested: (auth, data, callback) => callback(null, { nested: data }) }

  // The constructor's new form: one object; no SockJS server and no Redis clients of the application's own.
  var tokenServer = new TokenSocketServer({
    app: app,
    server: server,
    secret: randomBytes(32),
    prefix: '/sockets',
    tokenRoute: '/socket/token',
    socketController: controller,
    customMiddleware: customMiddleware,
    authentication: authenticationFn,
    debug: Boolean(process.env.DEBUG),
    routes: {
      user: {
        read: readUsers, // now this can be called via the RPC interface
      },
    },
    filter: filter,
    ping: true,
  })

  await new Promise((resolve) => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${server.address().port}`
  console.log('The server listens')
  return { tokenServer, address, stop: () => new Promise((resolve) => server.close(resolve)) }
}
