import type { AnchorStore, Written } from '../adapters/anchors.ts'
import type { Run } from '../adapters/reconciliations.ts'
import type { Finding } from '../domain/checks/finding.ts'
import { SITE } from '../domain/checks/no-tariff.ts'

/** Manifests looked at in a run: about those of a week. */
const LINKS = 8
/** No later run explains what happened to an object that nobody may change: a person has to. */
const FOR_GOOD_MS = 0

/** An object among the anchors that is not what was written, or is gone. */
export function anchorFinding({ key, sha256 }: Written, found: string | null): Finding {
  return {
    rule: 'broken_chain',
    register: SITE,
    window: key,
    fromMs: FOR_GOOD_MS,
    severity: 'high',
    evidence: { object: key, written_sha256: sha256, found_sha256: found },
  }
}

/**
 * The manifests of the runs before, against what is remembered of them: the last by the run that wrote it, in
 * the database, and each one before by the manifest after it. So who changes anchors has to change both.
 */
export async function manifestFindings(
  store: Pick<AnchorStore, 'manifest'>,
  before: readonly Run[],
): Promise<Finding[]> {
  const wrote = before.filter(({ manifest }) => manifest !== null)
  const last = wrote.reduce<Run | null>(
    (newest, run) => (newest === null || newest.started_at_ms < run.started_at_ms ? run : newest),
    null,
  )
  const findings: Finding[] = []
  let link: Written | null = last?.manifest ?? null
  for (let links = 0; link !== null && links < LINKS; links++) {
    const found = await store.manifest(link.key)
    if (found?.sha256 !== link.sha256) findings.push(anchorFinding(link, found?.sha256 ?? null))
    link = found?.manifest?.previous ?? null
  }
  return findings
}
