import * as z from 'zod'
import { Classroom, Esp32Name } from '../names.ts'
import { next_cursor, paged } from './quantities.ts'
import { BASE, route } from './route.ts'

export const ClassroomsAnswer = z.object({
  classrooms: z.array(
    z.object({ classroom: Classroom, node_count: z.int().describe('nodes that stand there now') }),
  ),
})

/** The most nodes of a page, and how many there are when not asked. */
export const MAX_NODES_PAGE = 500

const uptime = (days: number) =>
  z
    .number()
    .min(0)
    .max(100)
    .nullable()
    .describe(
      `share of the last ${days} days in which the node was online, since it was first heard of and while it stood in a classroom; outages under a minute do not count; null for a node never heard of`,
    )

export const NodesQuery = z.strictObject({
  classroom: Classroom.optional(),
  ...paged(MAX_NODES_PAGE, MAX_NODES_PAGE),
})

export const NodesAnswer = z.object({
  nodes: z.array(
    z.object({
      esp32_name: Esp32Name,
      classroom: Classroom.nullable(),
      online: z
        .boolean()
        .nullable()
        .describe('null for a node that never said so, such as one with former firmware'),
      last_seen: z.iso.datetime().nullable(),
      changed_at: z.iso.datetime().nullable(),
      uptime_7d_percent: uptime(7),
      uptime_30d_percent: uptime(30),
      firmware_ver: z.string().nullable(),
      wifi_rssi: z.number().nullable(),
      heap: z.number().nullable(),
      backlog: z.number().nullable(),
      mac: z.string().nullable(),
      registers: z.array(z.string()),
    }),
  ),
  next_cursor,
})

export const classrooms = route({
  method: 'GET',
  path: `${BASE}/classrooms`,
  access: 'read',
  summary: 'The classrooms there are',
  description: 'Those that have figures, and those in which a node stands.',
  answer: { status: 200, schema: ClassroomsAnswer },
  errors: [],
})

export const nodes = route({
  method: 'GET',
  path: `${BASE}/nodes`,
  access: 'read',
  summary: 'Nodes, and what is known of their connection',
  description: 'By name. Without `classroom` all of them, those without a classroom included.',
  query: NodesQuery,
  answer: { status: 200, schema: NodesAnswer },
  errors: [400, 404],
})

export type ClassroomsAnswer = z.infer<typeof ClassroomsAnswer>
export type NodesAnswer = z.infer<typeof NodesAnswer>
