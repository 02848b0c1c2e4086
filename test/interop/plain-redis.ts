import { createRequire } from 'node:module'

/** The client of the package `redis` that the legacy pair came with. */
interface LegacyClient {
  publish(topic: string, text: string, callback: (error: unknown) => void): void
  subscribe(topic: string): void
  on(event: 'subscribe', listener: () => void): void
  on(event: 'message', listener: (topic: string, text: string) => void): void
  end(): void
}

const { createClient } = createRequire(import.meta.url)('redis-0.12') as {
  createClient(port: number, host: string): LegacyClient
}

/** A program that knows Redis, and nothing of the library. */
export function plainRedis(port: number) {
  const client = createClient(port, '127.0.0.1')
  return {
    publish: (topic: string, text: string) =>
      new Promise<void>((resolve, reject) => {
        client.publish(topic, text, (error) => (error ? reject(error) : resolve()))
      }),
    /** Resolves when it hears the topic. */
    subscribe: (topic: string, heard: (text: string) => void) =>
      new Promise<void>((resolve) => {
        client.on('subscribe', resolve)
        client.on('message', (_topic, text) => heard(text))
        client.subscribe(topic)
      }),
    end: () => client.end(),
  }
}
