import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { App, Stack } from 'aws-cdk-lib'
import { Tables } from '../../infra/constructs/tables.ts'
import { stageConfig } from '../../infra/stages.ts'
import { localClient, shortName } from '../../local/dynamodb/plugin.ts'
import { startDatabase } from '../../local/dynamodb/process.ts'
import { ensureTable, TABLE, tableShape } from '../../local/dynamodb/tables.ts'
import { type Objects, openObjects } from '../../local/s3/objects.ts'

/** The real engine with the tables of the app. */
export interface Engine extends AsyncDisposable {
  readonly client: DynamoDBDocumentClient
  readonly url: string
  /** Physical table name by short name. */
  readonly tables: Readonly<Record<string, string>>
  /** The bucket of the anchors. */
  readonly objects: Objects
}

const UNREAD_SIGNATURE = {
  'x-amz-date': '20260101T000000Z',
  authorization:
    'AWS4-HMAC-SHA256 Credential=local/20260101/ap-south-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=00',
}

/** What a template says of one resource. */
interface Templated {
  readonly Type: string
  readonly Properties: Record<string, unknown> & { TableName: string }
}

/**
 * Starts dynoxide with the tables of the app, but without their streams: the records of a stream are
 * made from what was really put, and the engine slows down with each one it keeps.
 *
 * @param dataDir where the database file stays; without it the file is in memory, as far as the machine
 * has a file system there, and goes with the engine
 */
export async function startEngine(dataDir?: string): Promise<Engine> {
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const folder = dataDir ?? mkdtempSync(join(memory, 'autovolt-simulate-'))
  mkdirSync(folder, { recursive: true })
  const database = await startDatabase(folder)
  const plain = new DynamoDBClient({
    ...localClient(database.url, 'ap-south-1'),
    // The engine wants a signature and does not read it; making real ones takes a tenth of the time.
    signer: {
      sign: async (request) => ({
        ...request,
        headers: { ...request.headers, ...UNREAD_SIGNATURE },
      }),
    },
  })
  const drop = () => {
    if (dataDir === undefined) rmSync(folder, { recursive: true, force: true })
  }
  // What is in memory must not stay there when the simulation is ended before its time.
  process.once('exit', drop)
  const objects = openObjects(join(folder, 'anchors.jsonl'), Date.now)
  const stop = async () => {
    plain.destroy()
    objects.close()
    await database.stop()
    drop()
    process.off('exit', drop)
  }
  try {
    const shapes = templated().map(shapeOf)
    for (const shape of shapes) await ensureTable(plain, shape)
    return {
      url: database.url,
      client: DynamoDBDocumentClient.from(plain, {
        marshallOptions: { removeUndefinedValues: true },
      }),
      tables: Object.fromEntries(
        shapes.map(({ create }) => [shortName(create.TableName), create.TableName]),
      ),
      objects,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function shapeOf([logicalId, { Type, Properties }]: [string, Templated]) {
  return tableShape({
    logicalId,
    stack: 'Simulate',
    path: logicalId,
    type: Type,
    properties: { ...Properties, StreamSpecification: undefined },
    ref: Properties.TableName,
    attributes: {},
  })
}

/** The tables of the template, synthesized once. */
function templated(): [string, Templated][] {
  const folder = mkdtempSync(join(tmpdir(), 'autovolt-assembly-'))
  try {
    const app = new App({ outdir: folder, analyticsReporting: false })
    new Tables(new Stack(app, 'Simulate'), 'Tables', stageConfig('local'))
    const template = app.synth().getStackByName('Simulate').template
    return Object.entries(template.Resources as Record<string, Templated>).filter(
      ([, { Type }]) => Type === TABLE,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
