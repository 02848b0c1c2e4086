/**
 * What nodes share. An engine is one object for one node; its parts promise what the comments here say, and
 * `test/contract/engine.ts` holds every engine to it.
 */

/** An order from one node to all, itself included. */
export type NodeCommand = { readonly type: 'unsubscribeAll'; readonly channel: string }

/** What a node hears from its {@link Broker}. */
export interface BrokerListener {
  /** A publication on a channel that this node is subscribed to. @param json the data, as JSON */
  publication(channel: string, json: string): void
  /** A publication for every channel. @param json the data, as JSON */
  broadcast(json: string): void
  /** An order for every node. */
  command(command: NodeCommand): void
}

/**
 * Carries publications between nodes, and from a node to itself.
 *
 * Each subscribed node hears the publications of one channel once and in one order, the same on every node.
 * Nothing is promised between channels. A publication made after `subscribe` has resolved is heard; one made after
 * `unsubscribe` has resolved is not.
 */
export interface Broker {
  /** Sets who hears. Once, before anything else. */
  listen(listener: BrokerListener): void
  /** This node wants the channel. Harmless if it has it. @throws if the engine cannot be reached */
  subscribe(channel: string): Promise<void>
  /** This node does not want the channel any more. Harmless if it has it not. */
  unsubscribe(channel: string): Promise<void>
  /** Publishes; resolves when the engine has accepted it. @param json the data, as JSON */
  publish(channel: string, json: string): Promise<void>
  /** Publishes to every channel of every node; resolves when the engine has accepted it. */
  broadcast(json: string): Promise<void>
  /** Gives every node an order; resolves when the engine has accepted it. */
  command(command: NodeCommand): Promise<void>
}

/** Keeps what a token stands for until the token is used. */
export interface Tickets {
  /**
   * Keeps a ticket.
   * @param ttl milliseconds until it is gone
   * @throws RpcError `too_many_tickets` where the engine's limit is reached
   */
  put(id: string, json: string, ttl: number): Promise<void>
  /** Takes a ticket: whoever asks first gets it, on whichever node, everybody after that `undefined`. */
  take(id: string): Promise<string | undefined>
}

/** What nodes share, as one object. */
export interface Engine {
  /** For logs. */
  readonly name: string
  /** Whether other processes can share it. A server on a shared engine must be given its `secret`. */
  readonly shared: boolean
  readonly broker: Broker
  readonly tickets: Tickets
  /** Lets go of everything. Calls after that may fail. */
  close(): Promise<void>
}
