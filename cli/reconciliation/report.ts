import type { Run } from '../../functions/adapters/reconciliations.ts'

/** A run's report in lines. */
export function reportOf(run: Run): string[] {
  const { proof } = run
  const found = Object.entries(run.checks).map(([rule, count]) => `  ${rule}: ${count}`)
  return [
    `run ${run.run_id} ${run.status}: ${run.nodes} nodes, ${run.from_date} to ${run.to_date}, ${run.duration_ms} ms`,
    ...(proof === null
      ? []
      : [
          `${proof.registers} registers, ${proof.entries_walked} entries walked, ${proof.days_compared} days compared`,
          `${proof.readings_accepted} readings accepted, ${proof.readings_booked} booked, ${proof.readings_unbooked} not booked`,
          `${proof.suspense_mwh} mWh in ${proof.suspense_lines} lines of suspense, ${proof.messages_quarantined} messages in quarantine, ${proof.messages_unreadable} unreadable`,
        ]),
    ...(found.length === 0 ? ['nothing found'] : ['found:', ...found]),
    ...run.repaired.map((it) => `repaired ${it.rule} ${it.register} ${it.window}: ${it.done}`),
    `${run.tickets_opened} tickets opened, ${run.tickets_closed} closed, ${run.restated_days} days restated, ${run.resends} ranges asked for again`,
    ...(run.not_told === null ? [] : [`NOT TOLD ${run.not_told.subject}: ${run.not_told.error}`]),
    ...run.failures.map((it) => `FAILED ${it.esp32_name}: ${it.error}`),
  ]
}
