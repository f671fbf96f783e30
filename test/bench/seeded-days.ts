import { type DayFigures, emptyDay } from '../../functions/domain/rollup/figures.ts'

const CHANNELS = ['fan-1', 'light-1', 'light-2', 'projector']
const BLOCKS = 96

/** A working day of a node with four channels: loads swing, nights are quiet, no two days are alike. */
export function workingDay(seed: number): DayFigures {
  const figures = emptyDay(BLOCKS)
  const isLit = (block: number) => block >= 32 && block < 76
  CHANNELS.forEach((id, channel) => {
    const energyMwh = Array.from({ length: BLOCKS }, (_, block) =>
      isLit(block) ? 9_000 * (channel + 1) + ((seed * 7_919 + block * 104_729) % 4_001) : 0,
    )
    const onTimeS = energyMwh.map((mwh) => (mwh > 0 ? 900 : 0))
    figures.devices.set(id, { energyMwh, onTimeS })
    figures.quality.measuredMwh += energyMwh.reduce((all, mwh) => all + mwh, 0)
    energyMwh.forEach((mwh, block) => {
      if (mwh > 0) figures.onTimeS[block] = 900
    })
  })
  const rest = figures.devices.get(null)
  rest?.energyMwh.fill(250)
  figures.quality.measuredMwh += BLOCKS * 250
  figures.quality.coverageS = 86_400
  figures.sequences.set(2_900_000_000 + seed, { min: 1, max: 2_880, count: 2_880 })
  return { ...figures, readings: 2_880 }
}
