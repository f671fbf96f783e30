import {
  Color,
  GraphWidget,
  type HorizontalAnnotation,
  type IMetric,
  LegendPosition,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { Measure } from './measures.ts'
import { TARGETS, type Target, type TargetName } from './targets.ts'

/** Six widgets stand beside one another: as many as a reading has stations. */
export const WIDTH = 4
export const HEIGHT = 6

export const GREEN = Color.GREEN
export const ORANGE = Color.ORANGE
export const RED = Color.RED

/** A target as a widget: the figure, and the lines it must not cross. */
export function targetWidget(
  name: TargetName,
  { metric }: Measure,
  more: readonly IMetric[] = [],
): GraphWidget {
  const target: Target = TARGETS[name]
  const { unit } = target
  return new GraphWidget({
    title: target.title,
    width: WIDTH,
    height: HEIGHT,
    left: [metric, ...more],
    leftAnnotations: linesOf(target),
    leftYAxis: {
      label: unit,
      showUnits: false,
      min: 0,
      ...(unit === '%' && target.better === 'higher' && { max: 100 }),
    },
    legendPosition: LegendPosition.BOTTOM,
  })
}

/** A line each for what is promised, what is still acceptable, and what is not. */
export function linesOf(target: Target): HorizontalAnnotation[] {
  const { acceptable, critical } = target
  const line = (label: string, value: number, color: string) => ({ label, value, color })
  return [
    line('target', target.target, GREEN),
    ...(acceptable === null ? [] : [line('acceptable', acceptable, ORANGE)]),
    line('critical', critical, RED),
  ]
}

/** Figures without a promise of their own, beside one another. */
export function graph(
  title: string,
  left: readonly IMetric[],
  unit: string,
  options: { stacked?: boolean } = {},
): GraphWidget {
  return new GraphWidget({
    title,
    width: WIDTH,
    height: HEIGHT,
    left: [...left],
    leftYAxis: { label: unit, showUnits: false },
    legendPosition: LegendPosition.BOTTOM,
    ...options,
  })
}
