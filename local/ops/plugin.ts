import { ALARM, ALARM_PROPERTIES, metricAlarm } from '../metrics/alarm.ts'
import { COMPOSITE, COMPOSITE_PROPERTIES, compositeAlarm } from '../metrics/composite.ts'
import { namedMetrics } from '../metrics/named.ts'
import { alarmWatch } from '../metrics/watch.ts'
import type { Plugin } from '../runtime.ts'
import { DASHBOARD, DASHBOARD_PROPERTIES, dashboardOf } from './dashboard.ts'
import { snapshot } from './figures.ts'
import { opsPage } from './page.ts'

/** Alarms are judged this often; a clock that was moved is seen as soon. */
const LOOK_EVERY_MS = 1_000

/**
 * CloudWatch: the alarms of the template, judged over the figures of the stack, and its dashboard as a page at
 * `/ops` on the port of the HTTP API.
 */
export const operations: Plugin = {
  name: 'operations',
  supports: {
    [ALARM]: ALARM_PROPERTIES,
    [COMPOSITE]: COMPOSITE_PROPERTIES,
    [DASHBOARD]: DASHBOARD_PROPERTIES,
  },

  async start(runtime) {
    const alarms = runtime.ofType(ALARM).map(metricAlarm)
    const composites = runtime.ofType(COMPOSITE)
    const names = new Set([
      ...alarms.map(({ name }) => name),
      ...composites.map(({ properties }) => String(properties.AlarmName)),
    ])
    const watch = alarmWatch(
      alarms,
      composites.map((resource) => compositeAlarm(resource, names)),
      runtime.figures,
      runtime,
    )
    const widgets = runtime.ofType(DASHBOARD).flatMap(dashboardOf)
    const startedAtMs = runtime.now()
    const look = () => {
      try {
        watch.look()
      } catch (error) {
        runtime.log('alarms', 'could not look', { reason: String(error) })
      }
    }
    const timer = setInterval(look, LOOK_EVERY_MS)

    const now = () => {
      look()
      return snapshot(widgets, watch.standings(), startedAtMs, runtime)
    }
    const page = opsPage(now)
    if (widgets.length > 0) runtime.pages.push(page)
    const { http } = runtime.endpoints
    return {
      controlRoutes: [
        {
          method: 'GET',
          path: /^\/local\/alarms$/,
          handle: async () => {
            look()
            return { status: 200, body: JSON.stringify(watch.standings()) }
          },
        },
        {
          // What alarms and the page read, against what has been measured at all.
          method: 'GET',
          path: /^\/local\/metrics$/,
          handle: async () => {
            look()
            const named = namedMetrics(alarms, widgets, runtime.figures.seen())
            return { status: 200, body: JSON.stringify(named) }
          },
        },
      ],
      ...(http !== undefined && widgets.length > 0 && { urls: { Operations: `${http}/ops` } }),
      async stop() {
        clearInterval(timer)
      },
    }
  },
}
