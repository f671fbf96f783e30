/**
 * Write units as `test/bench/batch-units.bench.ts` and `write-units.bench.ts` measure them, in thousandths: for
 * the model of costs (`cli/cost/measured.ts`) and for the widget that estimates them from counts.
 */
export const WRITE_UNITS = {
  /** A message of one reading without channels. */
  message: { telemetry: 1_000n, ledger: 1_050n },
  /** A node in an hour, whatever it sends. */
  nodeHour: { rollups: 4_000n, nodes: 7_700n },
  /** One counting of the tally. */
  tally: 5_117n,
} as const
