import { type AnchorStore, type Kept, manifestsAt, type Written } from '../adapters/anchors.ts'
import type { ReconciliationStore, Run } from '../adapters/reconciliations.ts'
import type { RestoredAnchorsStore } from '../adapters/restored-anchors.ts'
import type { Evidence, Finding } from '../domain/checks/finding.ts'
import { SITE } from '../domain/checks/no-tariff.ts'

/** What is known of manifests: those that lie in the bucket, and those that the database speaks for. */
export interface ManifestPorts {
  readonly anchors: Pick<AnchorStore, 'manifest' | 'manifestKeys'>
  readonly runs: Pick<ReconciliationStore, 'recent'>
  readonly restored: Pick<RestoredAnchorsStore, 'before'>
}

/** Manifests looked at in a run: about those of a week. */
const LINKS = 8
/** Runs looked back at for the last that was whole. */
const RECENT = 20
/** No later run explains what happened to an object that nobody may change: a person has to. */
const FOR_GOOD_MS = 0

/** An object among the anchors that is not what was written, or is gone, or that nobody is known to have written. */
export function anchorFinding(
  { key, sha256 }: { readonly key: string; readonly sha256: string | null },
  found: string | null,
  claims: Evidence = {},
): Finding {
  return {
    rule: 'broken_chain',
    register: SITE,
    window: key,
    fromMs: FOR_GOOD_MS,
    severity: 'high',
    evidence: { object: key, written_sha256: sha256, found_sha256: found, ...claims },
  }
}

/** A run that looked and came to its end; one that was given up is over, too, and proved nothing. */
const isWhole = ({ finished_at_ms, proof }: Run) => finished_at_ms !== null && proof !== null

/**
 * The manifests of before an instant that the database speaks for, newest first: each by the run that
 * wrote it, or by the person who had the chains anchored anew.
 */
async function spokenFor(beforeMs: number, { runs, restored }: ManifestPorts): Promise<Written[]> {
  const end = manifestsAt(beforeMs)
  const ended = (await runs.recent(RECENT)).filter(isWhole)
  const known = [
    ...ended.map(({ manifest }) => manifest).filter((it) => it !== null),
    ...(await restored.before(end, LINKS)),
  ]
  return known
    .filter(({ key }) => key < end)
    .map(({ key, sha256 }) => ({ key, sha256 }))
    .sort((a, b) => (a.key < b.key ? 1 : -1))
}

/**
 * The newest manifest from before an instant that the database speaks for, and that is still what it says.
 * What else lies in the bucket is not believed, however new it is.
 */
export async function trustedManifest(
  beforeMs: number,
  ports: ManifestPorts,
): Promise<Kept | null> {
  for (const written of await spokenFor(beforeMs, ports)) {
    const kept = await keptAs(written, ports.anchors)
    if (kept !== null) return kept
  }
  return null
}

/** The manifest of a key; null where it is gone, or is another than was written. */
export async function keptAs(
  { key, sha256 }: Written,
  anchors: Pick<AnchorStore, 'manifest'>,
): Promise<Kept | null> {
  const found = await anchors.manifest(key)
  if (found?.manifest == null || found.sha256 !== sha256) return null
  return { ...found.manifest, key, sha256 }
}

/**
 * The manifests of before an instant, against what is remembered of them: the last by the database, and each
 * one before by the manifest after it. So who changes anchors has to change both. Where a person had the chains
 * anchored anew, that person answers for what was before.
 */
export async function manifestFindings(beforeMs: number, ports: ManifestPorts): Promise<Finding[]> {
  // Runs tell of their manifests before they put them: listed first, none of theirs is a stranger.
  const keys = await ports.anchors.manifestKeys(beforeMs)
  const [last = null] = await spokenFor(beforeMs, ports)
  const findings = await strangers(keys, last, beforeMs, ports)
  let link: Written | null = last
  for (let links = 0; link !== null && links < LINKS; links++) {
    const found = await ports.anchors.manifest(link.key)
    if (found?.sha256 !== link.sha256) findings.push(anchorFinding(link, found?.sha256 ?? null))
    const { restored, previous = null } = found?.manifest ?? {}
    link = restored === undefined ? previous : null
  }
  return findings
}

/** Manifests newer than the last one known that nobody speaks for, the newest of them. */
async function strangers(
  keys: readonly string[],
  last: Written | null,
  beforeMs: number,
  { anchors, runs, restored }: ManifestPorts,
): Promise<Finding[]> {
  const known = new Set([
    ...(await runs.recent(RECENT)).map(({ manifest }) => manifest?.key),
    ...(await restored.before(manifestsAt(beforeMs), LINKS)).map(({ key }) => key),
  ])
  const unknown = keys.filter((key) => key > (last?.key ?? '') && !known.has(key))
  const findings: Finding[] = []
  for (const key of unknown.slice(-LINKS)) {
    const found = await anchors.manifest(key)
    const claim = found?.manifest?.restored
    const claims: Evidence =
      claim === undefined ? {} : { claims_by: claim.by, claims_reason: claim.reason }
    findings.push(anchorFinding({ key, sha256: null }, found?.sha256 ?? null, claims))
  }
  return findings
}
