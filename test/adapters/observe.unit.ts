import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
})

it.each([
  ['WARN', 'INFO', 'WARN'],
  ['ERROR', 'INFO', 'ERROR'],
  ['DEBUG', 'DEBUG', 'DEBUG'],
])('the logger keeps to %s where Lambda lets %s through', async (own, lambda, level) => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', own)
  vi.stubEnv('AWS_LAMBDA_LOG_LEVEL', lambda)
  const { logger } = await import('../../functions/adapters/observe.ts')
  expect(logger.getLevelName()).toBe(level)
})
