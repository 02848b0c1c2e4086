/** What the command says of itself. */
export const USAGE = `Usage:
  token-socket asyncapi <contract.ts> [options]   writes an AsyncAPI 3 document of a contract
  token-socket contract <model.json|model.yaml>   writes a contract that is generated from an AsyncAPI 3 document

Options:
  --out <file>          the file to write, not the one that is read (default: the standard output)
  --help                shows this text

Options of asyncapi:
  --export <name>       the name under which the file exports the contract (default: contract, or the default export)
  --title <text>        the title of the API (default: TokenSocket API)
  --version <text>      the version of the API (default: 1.0.0)
  --description <text>  what the API is for
  --url <address>       where clients connect, such as wss://example.com/sockets

Exit codes: 0 done, 1 failed, 2 wrong arguments. Warnings and errors go to the standard error.
`
