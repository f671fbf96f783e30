import type { classrooms as contract } from '../contract/api/places.ts'
import { classroomAt } from '../domain/assignment.ts'
import { maySee } from './caller.ts'
import type { Endpoint } from './endpoint.ts'

/** `GET /classrooms`: those that have figures, and those in which a node stands. */
export const classrooms: Endpoint<typeof contract> = async (_query, { caller, ports }) => {
  const nowMs = ports.now()
  const counts = new Map((await ports.rollups.classrooms()).map((name) => [name, 0]))
  for await (const { assignments } of ports.nodes.all()) {
    const classroom = classroomAt(assignments, nowMs)
    if (classroom !== null) counts.set(classroom, (counts.get(classroom) ?? 0) + 1)
  }
  const all = [...counts]
    .filter(([classroom]) => maySee(caller, classroom))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([classroom, node_count]) => ({ classroom, node_count }))
  return { answer: { classrooms: all } }
}
