import type { ControlStore } from '../adapters/control.ts'
import type { QuarantineStore } from '../adapters/quarantine.ts'
import type { Replaced } from '../domain/append.ts'
import { type Reading, registerParts } from '../domain/reading.ts'

export interface ClaimPorts {
  readonly control: Pick<ControlStore, 'countOnce'>
  readonly quarantine: QuarantineStore
  readonly now: () => number
}

/**
 * Keeps a claim aside that another one of its identity stands in place of, and counts it, once for
 * each claim: whether it lost when it came, or was booked and lost to one that was received before it.
 */
export async function lose(
  register: string,
  loser: Reading,
  original: string,
  ports: ClaimPorts,
): Promise<void> {
  await ports.quarantine.put({
    esp32Name: registerParts(register).esp32Name,
    receivedAtMs: loser.receivedAtMs,
    kind: 'conflict',
    reason: `reading ${loser.id} of ${register} came more than once with different content; the one received first stands`,
    channel: 'telemetry',
    original: Buffer.from(original),
  })
  await ports.control.countOnce(claimKey(register, loser), { conflicts: 1 }, ports.now())
}

/**
 * Accounts for booked readings that are about to be replaced by others received before them. The
 * ledger does not know the message a booked reading came in any more, so it says what that said.
 */
export async function giveWay(
  register: string,
  replaced: readonly Replaced[],
  ports: ClaimPorts,
): Promise<void> {
  for (const { winner, loser } of replaced) {
    if (winner.hash !== loser.hash) await lose(register, loser, textOf(register, loser), ports)
    else await ports.control.countOnce(claimKey(register, loser), { duplicates: 1 }, ports.now())
  }
}

/**
 * True for a reading that was booked and lost its place since, which counted it. Delivered again it
 * looks like any repeat, and would be counted a second time.
 */
export function hasLost(
  register: string,
  reading: Reading,
  control: Pick<ControlStore, 'hasCounted'>,
): Promise<boolean> {
  return control.hasCounted(claimKey(register, reading))
}

function claimKey(register: string, { id, hash, receivedAtMs }: Reading): string {
  return `${register}#${id}~${hash}~${receivedAtMs}`
}

/** A reading as a telemetry message would say it; its raw event has the original. */
function textOf(register: string, reading: Reading): string {
  const { deviceId } = registerParts(register)
  const thousandth = (value: number | null) => (value === null ? undefined : value / 1_000)
  return JSON.stringify({
    device_id: deviceId ?? undefined,
    counter_epoch: reading.epoch ?? undefined,
    sequence_no: reading.seq ?? undefined,
    measured_at: reading.timeSource === 'measured' ? reading.atMs : undefined,
    energy_wh_total: thousandth(reading.energyMwh),
    power_w: thousandth(reading.powerMw),
    switch_state: reading.on ?? undefined,
    boot_id: reading.bootId ?? undefined,
    uptime_seconds: reading.uptimeS ?? undefined,
    replayed: reading.replayed || undefined,
    channels:
      reading.channels.length === 0
        ? undefined
        : reading.channels.map((channel) => ({
            device_id: channel.deviceId,
            energy_wh_total: thousandth(channel.energyMwh),
            power_w: thousandth(channel.powerMw),
            on: channel.on ?? undefined,
            on_time_s: channel.onTimeS ?? undefined,
          })),
  })
}
