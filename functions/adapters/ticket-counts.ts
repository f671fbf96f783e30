import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { Ticket } from './tickets.ts'

/** How many tickets wait for a person, and how many were opened of late. */
export interface TicketCounts {
  readonly open: number
  readonly openHigh: number
  readonly openedSince: number
}

const Counted = Ticket.pick({ status: true, severity: true, opened_at_ms: true })

/** Counts tickets. All there ever were are looked at: a few hundred a year, each some hundred bytes. */
export function ticketCounter(
  client: DynamoDBDocumentClient,
  table: string,
): (sinceMs: number) => Promise<TicketCounts> {
  return async (sinceMs) => {
    const counts = { open: 0, openHigh: 0, openedSince: 0 }
    const pages = paginateQuery(
      { client },
      {
        TableName: table,
        KeyConditionExpression: '#kind = :kind',
        ProjectionExpression: '#status, #severity, #opened',
        ExpressionAttributeNames: {
          '#kind': 'kind',
          '#status': 'status',
          '#severity': 'severity',
          '#opened': 'opened_at_ms',
        },
        ExpressionAttributeValues: { ':kind': 'ticket' },
      },
    )
    for await (const { Items } of pages) {
      for (const { status, severity, opened_at_ms } of z.array(Counted).parse(Items ?? [])) {
        if (status !== 'resolved') counts.open += 1
        if (status !== 'resolved' && severity === 'high') counts.openHigh += 1
        if (opened_at_ms >= sinceMs) counts.openedSince += 1
      }
    }
    return counts
  }
}
