/** The client's side of a contract. */
export type { ActionContext, Actions, ClientMembers, ContractClient, Listeners } from './contract-client.js'
