import type { HttpResponse } from '../http/response.ts'
import type { Pages } from '../http/server.ts'
import type { Standing } from '../metrics/watch.ts'
import { chartCard } from './chart.ts'
import type { Snapshot, WidgetFigures } from './figures.ts'
import { escaped } from './html.ts'
import { STYLE } from './style.ts'

const REFRESH_MS = 5_000

/** Nothing but this page itself. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'"

/** Fetches the page again and takes its content, so that it does not flicker or scroll. */
const SCRIPT = `setInterval(async () => {
  if (document.hidden) return
  try {
    const page = new DOMParser().parseFromString(await (await fetch('/ops')).text(), 'text/html')
    document.querySelector('main').replaceWith(page.querySelector('main'))
    document.title = page.title
  } catch {
    document.title = 'AutoVolt operations (the stack does not answer)'
  }
}, ${REFRESH_MS})
`

/** The operations page at `/ops`, and what it shows as JSON at `/ops.json`. */
export function opsPage(look: () => Snapshot): Pages {
  return async (method, path) => {
    if (method !== 'GET' && method !== 'HEAD') return undefined
    if (path === '/ops') return answer('text/html; charset=utf-8', html(look()))
    if (path === '/ops.json') return answer('application/json', JSON.stringify(look()))
    if (path === '/ops.js') return answer('text/javascript; charset=utf-8', SCRIPT)
    return undefined
  }
}

function answer(type: string, body: string): HttpResponse {
  return {
    status: 200,
    headers: {
      'content-type': type,
      'cache-control': 'no-store',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
    },
    body: Buffer.from(body),
  }
}

/** The whole page, made here: what a browser adds is only that it comes again. */
export function html(snapshot: Snapshot): string {
  const { widgets, stage } = snapshot
  const [fromMs, toMs] = [Date.parse(snapshot.from), Date.parse(snapshot.at)]
  const rows = [...Map.groupBy(widgets, ({ y }) => y)].sort(([a], [b]) => a - b)
  const drawn = rows.map(([, row]) => {
    const cards = row
      .toSorted((a, b) => a.x - b.x)
      .map(
        (it) =>
          `<div style="grid-column:span ${it.width}">${card(it, snapshot, fromMs, toMs)}</div>`,
      )
    return `<div class="row">${cards.join('')}</div>`
  })
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title(snapshot)}</title><style>${STYLE}</style><script src="/ops.js" defer></script></head><body><main><header><h1>AutoVolt operations</h1><span>stage ${escaped(stage)} · ${escaped(snapshot.at.slice(0, 19).replace('T', ' '))} UTC · the last ${Math.round((toMs - fromMs) / 60_000)} min</span></header>${banner(snapshot)}${drawn.join('')}</main></body></html>`
}

const isCritical = ({ severity }: Standing) => severity === 'critical'

function title({ raised }: Snapshot): string {
  const critical = raised.filter(isCritical).length
  return critical > 0 ? `(${critical}) AutoVolt operations` : 'AutoVolt operations'
}

/** The verdict in a sentence, and what is raised with its meaning. */
function banner({ raised, counts, stage }: Snapshot): string {
  const critical = raised.filter(isCritical)
  const warnings = raised.length - critical.length
  const alarms = counts.OK + counts.ALARM + counts.INSUFFICIENT_DATA
  const state = critical.length > 0 ? 'critical' : warnings > 0 ? 'warning' : 'well'
  const said = {
    critical: `${plural(critical.length, 'alarm')} raised${warnings > 0 ? `, ${plural(warnings, 'warning')}` : ''}`,
    warning: `Nothing is lost, late or wrong; ${plural(warnings, 'warning')}`,
    well: 'Nothing is lost, late or wrong',
  }[state]
  const list = raised
    .toSorted((a, b) => Number(isCritical(b)) - Number(isCritical(a)))
    .map(
      (it) =>
        `<li class="${isCritical(it) ? 'critical' : 'warning'}"><b>${escaped(short(it.name, stage))}</b> since ${it.sinceMs > 0 ? new Date(it.sinceMs).toISOString().slice(11, 19) : ''} — ${escaped(it.description)}</li>`,
    )
  return `<div class="banner ${state}"><strong>${said}</strong><span>${alarms} alarms watched, ${counts.INSUFFICIENT_DATA} without data yet</span>${list.length > 0 ? `<ul>${list.join('')}</ul>` : ''}</div>`
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

const short = (name: string, stage: string) => name.replace(`autovolt-${stage}-`, '')

function card(widget: WidgetFigures, { stage }: Snapshot, fromMs: number, toMs: number): string {
  if (widget.kind === 'chart') return chartCard(widget, fromMs, toMs)
  if (widget.kind === 'text') return heading(widget.markdown)
  const isVerdict = widget.alarms.some(({ isComposite }) => isComposite)
  const tiles = widget.alarms.map(
    (it) =>
      `<li class="${tone(it)}" title="${escaped(`${it.state}: ${it.reason}`)}">${escaped(short(it.name, stage).replaceAll('-', ' '))}</li>`,
  )
  return `<section class="card"><h3>${escaped(widget.title)}</h3><ul class="tiles${isVerdict ? ' verdict' : ''}">${tiles.join('')}</ul></section>`
}

function tone(it: Standing): string {
  if (it.state === 'INSUFFICIENT_DATA') return 'none'
  if (it.state === 'OK') return 'well'
  return isCritical(it) ? 'critical' : 'warning'
}

/** Of Markdown the dashboard uses a heading and a line below it. */
function heading(markdown: string): string {
  const [first = '', ...rest] = markdown.split('\n')
  return `<div class="station"><h2>${escaped(first.replace(/^#+\s*/, ''))}</h2><p>${escaped(rest.join(' '))}</p></div>`
}
