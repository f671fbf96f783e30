/** A query of Athena that is kept beside the table. */
export interface SavedQuery {
  readonly name: string
  readonly description: string
  /** @param table the quoted name of the table of the archive */
  readonly sql: (table: string) => string
}

/** The partitions of one day; they must be named, or a query reads all there is. */
const THE_DAY = "year = '2026' AND month = '01' AND day = '15'"

/** What people ask the archive for. Each is for one day, to be changed in its last lines. */
export const SAVED_QUERIES: readonly SavedQuery[] = [
  {
    name: 'archive-messages-of-a-node',
    description: 'Every message of one node on one day, as it came',
    sql: (table) => `SELECT from_unixtime(received_at / 1000.0) AS received,
       client_id, principal, via,
       from_utf8(from_base64(payload)) AS message
FROM ${table}
WHERE ${THE_DAY}
  AND esp32_name = 'esp32-b2-101'
ORDER BY received_at`,
  },
  {
    name: 'archive-readings-of-a-node',
    description: 'Every reading of one node on one day: counters and power over time',
    sql: (table) => `WITH messages AS (
  SELECT received_at, json_parse(from_utf8(from_base64(payload))) AS message
  FROM ${table}
  WHERE ${THE_DAY}
    AND esp32_name = 'esp32-b2-101'
)
SELECT from_unixtime(received_at / 1000.0) AS received,
       json_extract_scalar(reading, '$.measured_at') AS measured_at,
       json_extract_scalar(reading, '$.sequence_no') AS sequence_no,
       CAST(json_extract_scalar(reading, '$.energy_wh_total') AS decimal(18, 3)) AS energy_wh_total,
       CAST(json_extract_scalar(reading, '$.power_w') AS decimal(12, 3)) AS power_w
FROM messages
CROSS JOIN UNNEST(
  coalesce(CAST(json_extract(message, '$.readings') AS array(json)), ARRAY[message])
) AS t (reading)
ORDER BY measured_at, sequence_no`,
  },
  {
    name: 'archive-messages-by-node',
    description: 'How many messages each node sent on one day, and when the last one came',
    sql: (table) => `SELECT esp32_name, count(*) AS messages,
       from_unixtime(max(received_at) / 1000.0) AS last_received
FROM ${table}
WHERE ${THE_DAY}
GROUP BY esp32_name
ORDER BY messages`,
  },
]
