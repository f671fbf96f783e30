import { randomBytes } from 'node:crypto'
import { auditId } from '../adapters/audit.ts'
import { type Applied, type ChangeStore, type RequestKey, requestKey } from '../adapters/changes.ts'
import { type HttpResponse, json, problem } from '../adapters/http.ts'
import { jobPut } from '../adapters/jobs.ts'
import type { StartFunction } from '../adapters/start-function.ts'
import { type TariffStore, versionPut } from '../adapters/tariffs.ts'
import {
  CostVersionBody,
  type CostVersionMade,
  createCostVersion,
} from '../contract/api/cost-versions.ts'
import {
  type RecalculateAnswer,
  RecalculateBody,
  recalculate,
} from '../contract/api/recalculate.ts'
import { BASE } from '../contract/api/route.ts'
import { type AffectedPorts, affectedBy } from './affected.ts'
import { costVersionAnswer } from './answers.ts'
import { parseBody } from './body.ts'
import type { ChangeRequest, ChangeRoutes } from './guarded.ts'
import { newOrder } from './order.ts'
import { newVersion } from './version.ts'

export interface AdminPorts extends AffectedPorts {
  readonly tariffs: TariffStore
  readonly changes: ChangeStore
  readonly startRecalculation: StartFunction
  /** Told of a start that has to wait for the schedule. */
  readonly startFailed: (jobId: string, error: unknown) => void
  readonly controlTable: string
  readonly now: () => number
}

export const ROUTES: ChangeRoutes<AdminPorts> = {
  [`POST ${createCostVersion.path}`]: recordVersion,
  [`POST ${recalculate.path}`]: orderRecalculation,
}

/** Tells apart what is made in one millisecond, and cannot be guessed. */
const unique = () => randomBytes(8).toString('hex')

/** Of two who take the same place at once, one is told on the second look. */
const MAX_RACES = 3

async function recordVersion(request: ChangeRequest, ports: AdminPorts): Promise<HttpResponse> {
  const parsed = parseBody(request.body, CostVersionBody)
  if ('problem' in parsed) return problem(parsed.problem)
  const nowMs = ports.now()
  const key = keyOf(request, createCostVersion.path, parsed.value)
  if (key !== null && 'problem' in key) return key.problem
  const known = key && (await ports.changes.known(key, nowMs))
  if (known !== null) return repeated(known)

  for (let race = 0; race < MAX_RACES; race++) {
    const { versions } = await ports.tariffs.priceBook()
    const made = newVersion(parsed.value, {
      id: unique(),
      nowMs,
      recordedBy: request.actor.username,
      siteTimeZone: ports.siteTimeZone,
      versions,
    })
    if ('problem' in made) {
      // Of two repeats at once the first may have taken the place since the look for it.
      const first = key && (await ports.changes.known(key, nowMs))
      return first === null ? problem(made.problem) : repeated(first)
    }
    const { version } = made
    const all = [...versions, version]
    const body: CostVersionMade = {
      success: true,
      version: costVersionAnswer(version, all),
      ...(await affectedBy(version, all, nowMs, ports)),
    }
    const answer = { status: 201, body }
    const applied = await ports.changes.apply({
      puts: [versionPut(ports.controlTable, version)],
      audit: {
        id: auditId(nowMs, version.id),
        atMs: nowMs,
        actor: request.actor,
        action: 'cost_version.create',
        target: version.id,
        detail: { request: parsed.value, effective_from: body.version.effective_from },
      },
      key,
      answer,
      nowMs,
    })
    if (applied.kind === 'applied') return json(answer.status, answer.body)
    if (applied.kind !== 'refused') return repeated(applied)
  }
  throw new Error(`the place of a tariff version was taken ${MAX_RACES} times in a row`)
}

async function orderRecalculation(
  request: ChangeRequest,
  ports: AdminPorts,
): Promise<HttpResponse> {
  const parsed = parseBody(request.body, RecalculateBody)
  if ('problem' in parsed) return problem(parsed.problem)
  const nowMs = ports.now()
  const key = keyOf(request, recalculate.path, parsed.value)
  if (key !== null && 'problem' in key) return key.problem
  const known = key && (await ports.changes.known(key, nowMs))
  if (known !== null) return repeated(known)

  const { versions } = await ports.tariffs.priceBook()
  const ordered = newOrder(parsed.value, {
    unique: unique(),
    nowMs,
    lastRecordedMs: Math.max(0, ...versions.map(({ recordedAtMs }) => recordedAtMs)),
    createdBy: request.actor.username,
    siteTimeZone: ports.siteTimeZone,
  })
  if ('problem' in ordered) return problem(ordered.problem)
  const { job } = ordered
  if (job.classroom !== null && !(await ports.classrooms()).includes(job.classroom)) {
    const detail = `no day of a classroom "${job.classroom}" is rolled up yet`
    return problem({ status: 404, title: 'Unknown classroom', detail })
  }
  const scope = job.classroom ?? 'all classrooms'
  const what = job.dryRun ? 'Dry run of a recalculation' : 'Recalculation'
  const body: RecalculateAnswer = {
    success: true,
    message: `${what} of ${scope} from ${job.fromDate} to ${job.toDate} was started`,
    job_id: job.id,
    status_url: `${BASE}/jobs/${job.id}`,
  }
  const applied = await ports.changes.apply({
    puts: [jobPut(ports.controlTable, job)],
    audit: {
      id: auditId(nowMs, job.id),
      atMs: nowMs,
      actor: request.actor,
      action: 'recalculation.order',
      target: job.id,
      detail: { request: parsed.value },
    },
    key,
    answer: { status: 202, body },
    nowMs,
  })
  if (applied.kind === 'refused') throw new Error(`the job id ${job.id} is taken`)
  if (applied.kind !== 'applied') return repeated(applied)
  try {
    await ports.startRecalculation({ job_id: job.id })
  } catch (error) {
    // The job is accepted all the same: a schedule starts those that nobody has started.
    ports.startFailed(job.id, error)
  }
  return json(202, body, { location: body.status_url })
}

function keyOf(
  { key, actor }: ChangeRequest,
  route: string,
  request: unknown,
): RequestKey | { problem: HttpResponse } | null {
  if (key === undefined) return null
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return requestKey(actor.sub, route, key, request)
  const detail = `Idempotency-Key must be 1 to 255 visible ASCII characters (has ${key.length})`
  return { problem: problem({ status: 400, title: 'Invalid header', detail }) }
}

/** The answer when a key says more than the request itself. */
function repeated(applied: Applied): HttpResponse {
  if (applied.kind === 'repeated') {
    return json(applied.answer.status, applied.answer.body, { 'idempotency-replayed': 'true' })
  }
  const detail = 'this Idempotency-Key was used for another request; take a new one'
  return problem({ status: 422, title: 'Idempotency-Key used before', detail })
}
