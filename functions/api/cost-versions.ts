import { costVersionAnswer } from '../admin/answers.ts'
import type { listCostVersions } from '../contract/api/cost-versions.ts'
import { maySee } from './caller.ts'
import type { Endpoint } from './endpoint.ts'

/** `GET /cost-versions`: what is recorded, the one that begins last first. */
export const costVersions: Endpoint<typeof listCostVersions> = async (
  { classroom },
  { caller, ports },
) => {
  const { versions } = await ports.tariffs.priceBook()
  const shown = versions
    .filter((one) => one.classroom === null || maySee(caller, one.classroom))
    .filter(
      (one) => classroom === undefined || one.classroom === null || one.classroom === classroom,
    )
    .sort((a, b) => b.effectiveFromMs - a.effectiveFromMs || b.recordedAtMs - a.recordedAtMs)
  return {
    answer: {
      currency: ports.currency,
      versions: shown.map((version) => costVersionAnswer(version, versions)),
    },
  }
}
