import { createHash, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import * as z from 'zod'
import { Failure } from '../failure.ts'

/** Where and as what somebody signs in. */
export interface SignIn {
  /** The hosted sign-in page, `https://….auth.<region>.amazoncognito.com`. */
  readonly domain: string
  readonly clientId: string
  /** A loopback URL the client allows; the answer is awaited there. */
  readonly callback: string
  readonly scopes: readonly string[]
}

/** Time to type a password and a one-time code. */
const PATIENCE_MS = 300_000

const TokenAnswer = z.object({ access_token: z.string().min(1) })

/**
 * Signs a person in with their browser: authorization code with PKCE (RFC 7636) on a loopback redirect
 * (RFC 8252). The code is worth nothing without the verifier, which never leaves this process.
 * @param show tells the person which page to open
 * @returns the access token
 */
export async function signIn(
  { domain, clientId, callback, scopes }: SignIn,
  show: (url: string) => void,
  patienceMs = PATIENCE_MS,
): Promise<string> {
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(16).toString('base64url')
  const page = new URL('/oauth2/authorize', domain)
  page.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: callback,
    scope: scopes.join(' '),
    state,
    code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  }).toString()
  const code = await redirected(callback, state, () => show(page.href), patienceMs)
  const answer = await fetch(new URL('/oauth2/token', domain), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      redirect_uri: callback,
      code,
      code_verifier: verifier,
    }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Failure(`the user pool gave no token (${answer.status}): ${text}`)
  return TokenAnswer.parse(JSON.parse(text)).access_token
}

/** Waits for the browser to come back with a code. */
async function redirected(
  callback: string,
  state: string,
  ready: () => void,
  patienceMs: number,
): Promise<string> {
  const { hostname, port, pathname } = new URL(callback)
  const outcome = Promise.withResolvers<string>()
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', callback)
    const query = url.searchParams
    // Any page a browser shows can call here; only the one we sent it to knows the state.
    if (url.pathname !== pathname || query.get('state') !== state) {
      response.writeHead(404).end()
      return
    }
    const code = query.get('code')
    const text = code === null ? 'Sign-in failed; see the terminal.' : 'Signed in. Close this page.'
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
    if (code !== null) outcome.resolve(code)
    else {
      const reason = query.get('error_description') ?? query.get('error') ?? 'no reason given'
      outcome.reject(new Failure(`sign-in was refused: ${reason}`))
    }
  })
  await listening(server, hostname, Number(port))
  const late = new Failure(`nobody signed in within ${Math.round(patienceMs / 1_000)} s`)
  const timer = setTimeout(() => outcome.reject(late), patienceMs)
  try {
    ready()
    return await outcome.promise
  } finally {
    clearTimeout(timer)
    server.close()
    server.closeAllConnections()
  }
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Failure(`cannot listen on ${host}:${port}, where sign-in answers`, { cause }))
    })
    server.listen(port, host, resolve)
  })
}
