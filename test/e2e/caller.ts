import type { Endpoints } from '../../local/runtime.ts'
import type { Answer, Role } from './site.ts'

const API = '/api/power-analytics'

/** An answer with its headers. */
export interface Heard extends Answer {
  headers: Headers
}

/** Somebody of a role, whose token is made anew for each call: a test may move the clock. */
export interface Person {
  get(path: string): Promise<Heard>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Heard>
}

/** Calls the API of a local stack. Paths are below its base, or begin with it. */
export function person(endpoints: Pick<Endpoints, 'http' | 'control'>, role: Role): Person {
  const call = async (path: string, init: RequestInit): Promise<Heard> => {
    const made = await fetch(`${endpoints.control}/local/token`, {
      method: 'POST',
      body: JSON.stringify({ role }),
    })
    const { token } = (await made.json()) as { token: string }
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${token}`)
    const url = `${endpoints.http}${path.startsWith(API) ? '' : API}${path}`
    const answer = await fetch(url, { ...init, headers })
    const text = await answer.text()
    const isJson = /json/.test(answer.headers.get('content-type') ?? '')
    const body = isJson ? JSON.parse(text) : text
    return { status: answer.status, headers: answer.headers, body }
  }
  return {
    get: (path) => call(path, {}),
    post: (path, body, headers = {}) =>
      call(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  }
}
