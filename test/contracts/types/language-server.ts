import { type ChildProcess, spawn } from 'node:child_process'
import { pathToFileURL } from 'node:url'

const root = new URL('../../..', import.meta.url).pathname

/** The compiler's language server, as an editor runs it. */
export class LanguageServer {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (result: unknown) => void>()
  #rest = Buffer.alloc(0)
  #last = 0

  constructor() {
    const args = [`${root}node_modules/typescript/bin/tsc`, '--lsp', '--stdio']
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  /** Before anything else. */
  async initialize(): Promise<void> {
    await this.#request('initialize', { processId: process.pid, rootUri: null, capabilities: {} })
    this.#send({ method: 'initialized', params: {} })
  }

  /** Opens a file whose text may be another than on the disk. */
  open(file: string, text: string): void {
    const uri = pathToFileURL(file).href
    this.#send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'typescript', version: 1, text } },
    })
  }

  /** Closes an open file: its text is that on the disk again. */
  closeFile(file: string): void {
    this.#send({
      method: 'textDocument/didClose',
      params: { textDocument: { uri: pathToFileURL(file).href } },
    })
  }

  /** The errors in an open file. */
  async errors(file: string): Promise<readonly string[]> {
    const answer = await this.#request('textDocument/diagnostic', {
      textDocument: { uri: pathToFileURL(file).href },
    })
    const { items } = answer as { items: readonly { message: string; severity: number }[] }
    return items.filter(({ severity }) => severity === 1).map(({ message }) => message)
  }

  /** What an editor offers after a text of the open file: at the end of its first occurrence. */
  async completions(file: string, text: string, after: string): Promise<readonly string[]> {
    const lines = text.slice(0, text.indexOf(after) + after.length).split('\n')
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 }
    const answer = await this.#request('textDocument/completion', {
      textDocument: { uri: pathToFileURL(file).href },
      position,
    })
    const { items = [] } = Object(answer) as { items?: readonly { readonly label: string }[] }
    return items.map(({ label }) => label)
  }

  /** Ends the server's process. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.kill()
    })
  }

  #request(method: string, params: object): Promise<unknown> {
    this.#last += 1
    const id = this.#last
    this.#send({ id, method, params })
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#child.stdin?.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (;;) {
      const end = this.#rest.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/i.exec(this.#rest.toString('utf8', 0, end))?.[1])
      if (end < 0 || this.#rest.length < end + 4 + length) return
      this.#take(JSON.parse(this.#rest.toString('utf8', end + 4, end + 4 + length)))
      this.#rest = this.#rest.subarray(end + 4 + length)
    }
  }

  #take({ id, method, result }: { id?: number; method?: string; result?: unknown }): void {
    if (id === undefined) return
    // What the server asks of the editor, such as its settings: there are none.
    if (method !== undefined) return this.#send({ id, result: null })
    this.#waiting.get(id)?.(result)
    this.#waiting.delete(id)
  }
}
