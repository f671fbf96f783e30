import { expect, it } from 'vitest'
import type { Applied } from '../../functions/adapters/changes.ts'
import type { RecordedVersion } from '../../functions/adapters/tariffs.ts'
import { type AdminPorts, ROUTES } from '../../functions/admin/routes.ts'

const recorded: RecordedVersion = {
  id: 'first',
  classroom: null,
  effectiveFromMs: Date.parse('2026-01-08T00:00:00Z'),
  recordedAtMs: 1,
  energyMicroPerKwh: 7_000_000,
  bands: [],
  surchargeMicroPerKwh: 0,
  dutyPpm: 0,
  notes: null,
  recordedBy: 'somebody',
  correction: 1,
}

/** A site where the first of two equal requests is written right after the second one has looked for it. */
function portsBetween(later: Applied | null): AdminPorts {
  const looks: (Applied | null)[] = [null, later]
  return {
    tariffs: {
      priceBook: async () => ({ versions: [recorded], repricings: [] }),
      putRepricing: async () => {},
    },
    changes: {
      known: async () => looks.shift() ?? null,
      apply: async () => {
        throw new Error('nothing is to be written')
      },
    },
    classrooms: async () => [],
    firstDay: async () => null,
    startRecalculation: async () => {},
    startFailed: () => {},
    controlTable: 'control',
    siteTimeZone: 'Asia/Kolkata',
    now: () => Date.parse('2026-01-10T00:00:00Z'),
  }
}

const post = (ports: AdminPorts) => {
  const route = ROUTES['POST /api/power-analytics/cost-versions']
  const body = JSON.stringify({ cost_per_kwh: 7, effective_from: '2026-01-08T00:00:00Z' })
  const actor = { sub: 's', username: 'admin', role: 'admin' }
  return route?.({ actor, body: Buffer.from(body), key: 'again' }, ports)
}

it('of two equal requests at once the second gets the answer of the first', async () => {
  const answer = { status: 201, body: { success: true } }
  expect(await post(portsBetween({ kind: 'repeated', answer }))).toMatchObject({
    statusCode: 201,
    headers: { 'idempotency-replayed': 'true' },
    body: JSON.stringify(answer.body),
  })
})

it('a place that somebody else took is refused', async () => {
  expect(await post(portsBetween(null))).toMatchObject({ statusCode: 409 })
})
