/** Values of `$context` variables of one request, by name. */
export type LogContext = Readonly<Record<string, string | number | undefined>>

const KNOWN = [
  'accountId',
  'apiId',
  'authorizer.error',
  'domainName',
  'domainPrefix',
  'error.message',
  'error.messageString',
  'error.responseType',
  'httpMethod',
  'identity.sourceIp',
  'identity.userAgent',
  'integration.error',
  'integration.latency',
  'integration.status',
  'integrationErrorMessage',
  'integrationLatency',
  'integrationStatus',
  'path',
  'protocol',
  'requestId',
  'requestTime',
  'requestTimeEpoch',
  'responseLatency',
  'responseLength',
  'routeKey',
  'stage',
  'status',
]
const VARIABLE = /\$context\.([A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9:_-]+)*)/g

/**
 * Prepares an access log format. A variable without a value becomes `-`; texts are escaped, so that
 * a JSON format gives JSON whatever a caller sends.
 * @throws an Error naming the first variable that is not known.
 */
export function compileLogFormat(format: string): (context: LogContext) => string {
  for (const [, name = ''] of format.matchAll(VARIABLE)) {
    if (!KNOWN.includes(name) && !name.startsWith('authorizer.claims.')) {
      throw new Error(`$context.${name} is not known`)
    }
  }
  return (context) =>
    format.replace(VARIABLE, (_, name: string) => {
      const value = context[name]
      return value === undefined ? '-' : JSON.stringify(String(value)).slice(1, -1)
    })
}
