import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { CannotRunLocally } from './template/refuse.ts'

/**
 * Listens on 127.0.0.1 and, where the machine has it, on ::1, on the same port, so that `localhost`
 * works whichever a client takes first. Never on an outside address.
 * @param make makes one server per address; all answer alike.
 * @param port 0 takes a free one.
 * @param what names the server in the error, e.g. «HTTP API (--http-port)».
 * @returns the port and the servers, so that the caller can close them.
 */
export async function listenOnLoopback<S extends Server>(
  make: () => S,
  port: number,
  what: string,
): Promise<{ port: number; servers: S[] }> {
  const first = make()
  await listen(first, port, '127.0.0.1', what)
  const taken = (first.address() as AddressInfo).port
  const second = make()
  try {
    await listen(second, taken, '::1', what)
  } catch {
    // A machine without IPv6, or one where another program holds this port there: IPv4 serves alone.
    return { port: taken, servers: [first] }
  }
  return { port: taken, servers: [first, second] }
}

async function listen(server: Server, port: number, host: string, what: string): Promise<void> {
  server.listen({ port, host })
  try {
    await once(server, 'listening')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const why = code === 'EADDRINUSE' ? 'the port is in use; name another one' : String(cause)
    throw new CannotRunLocally(`${what} cannot listen on ${host}:${port}: ${why}`, { cause })
  }
}
