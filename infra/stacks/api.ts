import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { Administration } from '../constructs/administration.ts'
import { type FunctionContext, ServiceFunction } from '../constructs/function.ts'
import { PublicApi } from '../constructs/public-api.ts'
import type { People } from '../constructs/user-pool.ts'

const { GET, PATCH, POST } = HttpMethod

/** What people and gateways call over HTTP. */
export class ApiStack extends Stack {
  readonly apiId: string

  constructor(
    scope: Construct,
    id: string,
    context: FunctionContext & {
      readonly people: People
      readonly reconcile: ServiceFunction
      readonly ledger: ServiceFunction
    },
    props: StackProps,
  ) {
    super(scope, id, props)

    const api = new ServiceFunction(this, 'Api', context, {
      name: 'api',
      entry: 'functions/api/handler.ts',
      description: 'Answers questions about figures, nodes and health; changes nothing',
      rights: {
        ledger: ['GetItem', 'Query'],
        nodes: ['GetItem', 'Query', 'Scan'],
        rollups: ['GetItem', 'Query'],
        control: ['GetItem', 'Query'],
      },
      byClassroom: true,
      // Half a processor: a month of a classroom is some hundred items to read and price.
      // An answer is processor time, which costs the same in less time: one whole processor.
      memoryMb: 1_769,
      timeout: Duration.seconds(25),
    })
    const ingestHttp = new ServiceFunction(this, 'IngestHttp', context, {
      name: 'ingest-http',
      entry: 'functions/ingest/http.ts',
      description: 'Takes readings of gateways and load tests, by the same rules as MQTT',
      rights: {
        telemetry: ['PutItem', 'GetItem'],
        quarantine: ['PutItem'],
        nodes: ['GetItem'],
        control: ['UpdateItem'],
      },
      memoryMb: 512,
      timeout: Duration.seconds(10),
    })
    // What is posted does not come through the topic rule, so its function archives it.
    ingestHttp.lambda.addEnvironment('ARCHIVE_STREAM', context.archive.stream.name)
    context.archive.stream.letPut(ingestHttp.role)

    const { target: admin } = new Administration(this, 'Administration', context)

    const operate = new ServiceFunction(this, 'Operate', context, {
      name: 'operate',
      entry: 'functions/operate/handler.ts',
      description: 'Notes what people do and decide about tickets, and starts reconciliations',
      rights: { control: ['GetItem', 'PutItem'], nodes: ['Query', 'PutItem'] },
      memoryMb: 256,
      timeout: Duration.seconds(15),
    })
    operate.lambda.addEnvironment('RECONCILE_FUNCTION', context.reconcile.live.functionArn)
    operate.lambda.addEnvironment('LEDGER_FUNCTION', context.ledger.live.functionArn)
    operate.role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [context.reconcile.live.functionArn, context.ledger.live.functionArn],
      }),
    )

    const health = { publicBecause: 'Monitors call it without a login; it tells counts only.' }
    const openapi = {
      publicBecause:
        'Documentation and code generators read it; it says nothing the source does not.',
    }
    const base = '/api/power-analytics'
    /** Where dashboards of the former system look. */
    const former = '/api/analytics'
    // In the order and with the access of functions/contract/api/routes.ts, which a test compares.
    const http = new PublicApi(this, 'Http', {
      ...context,
      routes: [
        { method: GET, path: `${base}/health`, access: health, target: api },
        { method: GET, path: `${base}/openapi.json`, access: openapi, target: api },
        { method: GET, path: `${base}/classrooms`, access: 'read', target: api },
        { method: GET, path: `${base}/summary`, access: 'read', target: api },
        { method: GET, path: `${base}/timeline`, access: 'read', target: api },
        { method: GET, path: `${base}/device-breakdown`, access: 'read', target: api },
        { method: GET, path: `${base}/monthly`, access: 'read', target: api },
        { method: GET, path: `${base}/calendar`, access: 'read', target: api },
        { method: GET, path: `${base}/export-csv`, access: 'read', target: api },
        { method: GET, path: `${base}/cost-versions`, access: 'read', target: api },
        { method: POST, path: `${base}/cost-versions`, access: 'admin', target: admin },
        { method: POST, path: `${base}/recalculate`, access: 'admin', target: admin },
        { method: GET, path: `${base}/jobs/{id}`, access: 'operate', target: api },
        { method: GET, path: `${base}/nodes`, access: 'read', target: api },
        { method: GET, path: `${base}/ledger`, access: 'operate', target: api },
        { method: POST, path: `${base}/telemetry`, access: 'operate', target: ingestHttp },
        { method: GET, path: `${base}/tickets`, access: 'operate', target: api },
        { method: PATCH, path: `${base}/tickets/{id}`, access: 'operate', target: operate },
        { method: GET, path: `${base}/reconciliations`, access: 'operate', target: api },
        { method: POST, path: `${base}/reconciliations`, access: 'operate', target: operate },
        { method: GET, path: `${base}/audit`, access: 'admin', target: api },
        { method: GET, path: `${former}/energy-summary`, access: 'read', target: api },
        { method: GET, path: `${former}/energy/24h`, access: 'read', target: api },
      ],
    })

    this.apiId = http.apiId
    new CfnOutput(this, 'HttpApiUrl', { value: http.url })
  }
}
