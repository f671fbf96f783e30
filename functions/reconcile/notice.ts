import type { Notice } from '../adapters/notices.ts'
import type { Pause } from '../adapters/pauses.ts'
import type { Opened, Run } from '../adapters/reconciliations.ts'
import { sum } from '../domain/rollup/figures.ts'
import { NAMED } from './result.ts'

/**
 * What a run has to tell, in one message however many tickets it opened: a failed run and new tickets of
 * high severity at once; the nightly run always, as the digest of the day. Null when there is nothing.
 *
 * @param open tickets that are not resolved, old and new; null for a run that never looked
 */
export function noticeOf(
  run: Run,
  opened: readonly Opened[],
  open: number | null,
  isNightly: boolean,
  pause: Pause | null = null,
): Notice | null {
  const high = countOf(opened.filter(({ severity }) => severity === 'high'))
  const isFailed = run.status === 'failed'
  if (!isNightly && !isFailed && high === 0) return null
  const words = [
    isFailed ? 'failed' : 'done',
    `${countOf(opened)} new tickets`,
    ...(high > 0 ? [`${high} of high severity`] : []),
  ]
  const worstFirst = opened.toSorted((a, b) => rank(b) - rank(a) || b.count - a.count)
  const lines = worstFirst.map(({ rule, severity, count, registers }) => {
    const more = count - registers.length
    const named = registers.length === 0 ? [] : [registers.join(', ')]
    const names = [...named, ...(more > 0 ? [`${more} more`] : [])].join(' and ')
    return `${rule} (${severity}): ${count} – ${names}`
  })
  const proof = run.proof && [
    `${run.proof.readings_accepted} readings accepted, ${run.proof.readings_booked} booked, ${run.proof.readings_unbooked} not booked, ${run.proof.suspense_mwh} mWh in suspense, ${run.proof.messages_quarantined} messages in quarantine, ${run.proof.messages_unreadable} unreadable`,
  ]
  return {
    subject: `AutoVolt reconciliation ${words.join(', ')}`,
    message: [
      `Run ${run.run_id} of ${run.from_date} to ${run.to_date}: ${run.nodes} nodes${run.duration_ms === null ? '' : ` in ${run.duration_ms} ms`}.`,
      ...(proof ?? []),
      `${run.repairs} repairs, ${run.tickets_closed} tickets explained themselves.`,
      ...(pause === null
        ? []
        : [
            `Booking is paused since ${new Date(pause.pausedAtMs).toISOString()} by ${pause.by} (${pause.reason}): what was received since waits, nothing was booked by this run.`,
          ]),
      ...(open === null ? [] : [`${open} tickets are open.`]),
      ...(lines.length > 0 ? ['New tickets:', ...lines] : ['No new tickets.']),
      ...run.failures.slice(0, NAMED).map((it) => `FAILED ${it.esp32_name}: ${it.error}`),
      ...(run.error === null ? [] : [`FAILED: ${run.error}`]),
    ].join('\n'),
  }
}

const countOf = (opened: readonly Opened[]) => sum(opened.map(({ count }) => count))

const rank = ({ severity }: Opened) => ['info', 'low', 'medium', 'high'].indexOf(severity)
