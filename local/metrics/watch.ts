import type { AlarmSeverity } from '../../infra/monitoring/alarm-kinds.ts'
import type { Runtime } from '../runtime.ts'
import { type AlarmState, judge, type MetricAlarm } from './alarm.ts'
import type { CompositeAlarm } from './composite.ts'
import type { MetricStore } from './store.ts'

/** An alarm and how it stands. */
export interface Standing {
  readonly name: string
  readonly arn: string
  readonly description: string
  readonly severity: AlarmSeverity
  readonly state: AlarmState
  readonly reason: string
  /** When it came into this state, on the stack's clock. */
  readonly sinceMs: number
  readonly value: number | undefined
  readonly isComposite: boolean
}

export interface AlarmWatch {
  /** Judges all alarms now, and tells their topics of every change. */
  look(): void
  standings(): readonly Standing[]
}

/** What a watch tells of changes to. */
export type Tell = Pick<Runtime, 'now' | 'log' | 'publish' | 'region'>

type Any = MetricAlarm | CompositeAlarm

/** Watches the alarms of the app. They begin without data, as new alarms do. */
export function alarmWatch(
  alarms: readonly MetricAlarm[],
  composites: readonly CompositeAlarm[],
  store: MetricStore,
  runtime: Tell,
): AlarmWatch {
  const startedAtMs = runtime.now()
  const standings = new Map<string, Standing>()
  const begin = ({ name, arn, description, severity }: Any, isComposite: boolean) => {
    standings.set(name, {
      ...{ name, arn, description, severity, isComposite },
      state: 'INSUFFICIENT_DATA',
      reason: 'not judged yet',
      sinceMs: startedAtMs,
      value: undefined,
    })
  }
  for (const alarm of alarms) begin(alarm, false)
  for (const composite of composites) begin(composite, true)
  const stateOf = (name: string) => standings.get(name)?.state ?? 'INSUFFICIENT_DATA'

  const settle = (alarm: Any, state: AlarmState, reason: string, value?: number) => {
    const before = standings.get(alarm.name) as Standing
    const sinceMs = state === before.state ? before.sinceMs : runtime.now()
    standings.set(alarm.name, { ...before, state, reason, value, sinceMs })
    if (state === before.state) return false
    tell(alarm, before.state, state, reason)
    return true
  }

  const tell = (alarm: Any, from: AlarmState, to: AlarmState, reason: string) => {
    runtime.log('alarms', 'state changed', { alarm: alarm.name, from, to, reason })
    const message = JSON.stringify({
      AlarmName: alarm.name,
      AlarmDescription: alarm.description,
      AlarmArn: alarm.arn,
      OldStateValue: from,
      NewStateValue: to,
      NewStateReason: reason,
      StateChangeTime: new Date(runtime.now()).toISOString(),
      Region: runtime.region,
    })
    for (const topic of alarm.actions[to]) runtime.publish(topic, `${to}: "${alarm.name}"`, message)
  }

  return {
    look() {
      store.sample()
      const nowMs = runtime.now()
      for (const alarm of alarms) {
        const { state, reason, value } = judge(
          alarm,
          stateOf(alarm.name),
          nowMs,
          startedAtMs,
          store,
        )
        settle(alarm, state, reason, value)
      }
      // Composites may ask one another, so the round is repeated until nothing moves.
      for (let isMoving = true, round = 0; isMoving && round <= composites.length; round += 1) {
        isMoving = false
        for (const composite of composites) {
          const raised = composite.children.filter((name) => stateOf(name) === 'ALARM')
          const reason = raised.length === 0 ? 'none of its alarms is raised' : raised.join(', ')
          const state = composite.isRaised(stateOf) ? 'ALARM' : 'OK'
          isMoving = settle(composite, state, reason) || isMoving
        }
      }
    },
    standings: () => [...standings.values()],
  }
}
