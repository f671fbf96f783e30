import { expect, test } from 'vitest'
import { RUNBOOK_ANCHORS } from '../../infra/monitoring/alarm-kinds.ts'
import { source } from './sources.ts'

/** As GitHub makes an anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

const runbook = source('docs/runbook.md')
const anchors = [...runbook.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading ?? ''))

test('the runbook has a heading for every kind of alarm, and none for an alarm there is not', () => {
  const alarms = anchors.filter((anchor) => anchor.startsWith('alarm-'))
  expect(alarms.toSorted()).toEqual(RUNBOOK_ANCHORS.toSorted())
})

test('its links lead to headings', () => {
  const links = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor)
  expect(links.filter((anchor) => !anchors.includes(anchor ?? ''))).toEqual([])
})
