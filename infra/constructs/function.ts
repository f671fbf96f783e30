import { ArnFormat, type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  type Alias,
  ApplicationLogLevel,
  Architecture,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import type { AlarmSeverity } from '../monitoring/alarm-kinds.ts'
import { LIVE, physicalName } from '../names.ts'
import type { AlarmChannel } from './alarm-channel.ts'
import { watchFunction } from './function-alarms.ts'
import { handlerCode } from './handler-code.ts'
import type { RawArchive } from './raw-archive.ts'
import { Rollout } from './rollout.ts'
import { BY_CLASSROOM, type TableName, type Tables } from './tables.ts'

/** The CloudWatch namespace all functions write their metrics to. */
export const METRICS_NAMESPACE = 'AutoVolt'

/** An action of DynamoDB on items, without its `dynamodb:` prefix. A transaction needs only these. */
export type TableAction = 'GetItem' | 'PutItem' | 'Query' | 'Scan' | 'UpdateItem'

/** What every function of a stack is made with. */
export interface FunctionContext {
  readonly config: StageConfig
  readonly tables: Tables
  readonly alarms: AlarmChannel
  readonly archive: RawArchive
}

export interface ServiceFunctionProps {
  /** Short name; the physical name is `autovolt-<stage>-<name>`. */
  readonly name: string
  /** Path of the handler file from the root of the repository; it exports `handler`. */
  readonly entry: string
  readonly description: string
  /**
   * What the function may do, by table. It also gets the name of each of these tables in
   * `<TABLE>_TABLE`, and of no other.
   */
  readonly rights: Partial<Record<TableName, readonly TableAction[]>>
  /** Also the share of a processor: 1,769 MB is one whole. */
  readonly memoryMb: number
  readonly timeout: Duration
  /**
   * Lets the function query the nodes table by classroom.
   * @default false
   */
  readonly byClassroom?: boolean
  /**
   * Lets the function start itself, to go on with work that takes longer than one invocation. It has
   * to see to it that this comes to an end: Lambda would otherwise stop it at the sixteenth time.
   * @default false
   */
  readonly startsItself?: boolean
  /**
   * The most invocations at once, kept free for it out of the account's concurrency. For what waits for
   * somebody else's system, which could otherwise take all of it.
   * @default - no share is kept, and none is the limit
   */
  readonly concurrency?: number
  /**
   * How severe it is when it fails.
   * @default - what its kind of alarm is for all functions
   */
  readonly severity?: AlarmSeverity
}

/**
 * One Lambda function: bundled, with its log group, its role, its alarms, and the alias through
 * which it is called. Whoever calls it, calls `live`: `lambda` itself is what is being deployed, and
 * nothing bounds its retries.
 *
 * No concurrency is reserved, but for who waits for others. Every writer is safe under concurrency by compare-and-set, and a
 * reservation takes from the account's pool, which is 10 in a new account.
 */
export class ServiceFunction extends Construct {
  readonly lambda: LambdaFunction
  readonly live: Alias
  readonly role: Role
  readonly rollout: Rollout
  readonly serviceName: string
  readonly memoryMb: number

  constructor(scope: Construct, id: string, context: FunctionContext, props: ServiceFunctionProps) {
    super(scope, id)
    const { config, tables, alarms } = context
    const functionName = physicalName(config, props.name)
    this.serviceName = props.name
    this.memoryMb = props.memoryMb

    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: config.logRetentionDays,
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    // A role of its own instead of the managed one: it can write to this log group only.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Runs ${functionName}`,
    })
    logGroup.grantWrite(this.role)

    this.lambda = new LambdaFunction(this, 'Function', {
      functionName,
      description: props.description,
      code: handlerCode(this, props.entry),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMb,
      timeout: props.timeout,
      ...(props.startsItself && { recursiveLoop: RecursiveLoop.ALLOW }),
      reservedConcurrentExecutions: props.concurrency,
      currentVersionOptions: {
        // By hand, `live` can be moved back to a version of any deployment before.
        removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      },
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Metrics are lines without a level, which Lambda takes for INFO: at WARN it would drop them,
      // and every alarm on a metric would stay silent. The logger itself keeps the stage's level.
      applicationLogLevelV2:
        config.logLevel === 'DEBUG' ? ApplicationLogLevel.DEBUG : ApplicationLogLevel.INFO,
      // The START, END and REPORT lines of each invocation would cost more than the invocation.
      systemLogLevelV2: SystemLogLevel.WARN,
      environment: {
        STAGE: config.stage,
        SITE_TIME_ZONE: config.siteTimeZone,
        CURRENCY: config.currency,
        RAW_RETENTION_DAYS: String(config.rawRetentionDays),
        QUARANTINE_RETENTION_DAYS: String(config.quarantineRetentionDays),
        POWERTOOLS_SERVICE_NAME: props.name,
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
        POWERTOOLS_LOG_LEVEL: config.logLevel,
        NODE_OPTIONS: '--enable-source-maps',
      },
    })

    for (const [name, actions] of Object.entries(props.rights)) {
      const table = tables.byName[name as TableName]
      this.lambda.addEnvironment(`${name.toUpperCase()}_TABLE`, table.tableName)
      this.role.addToPolicy(
        new PolicyStatement({
          actions: actions.map((action) => `dynamodb:${action}`),
          resources: [table.tableArn],
        }),
      )
    }
    if (props.byClassroom) {
      this.role.addToPolicy(
        new PolicyStatement({
          actions: ['dynamodb:Query'],
          resources: [`${tables.byName.nodes.tableArn}/index/${BY_CLASSROOM}`],
        }),
      )
    }

    if (props.startsItself) {
      // By its name: the function waits for its role, so the role cannot wait for the function.
      const ownAlias = `${functionName}:${LIVE}`
      this.lambda.addEnvironment('OWN_FUNCTION', ownAlias)
      const own = Stack.of(this).formatArn({
        service: 'lambda',
        resource: 'function',
        resourceName: ownAlias,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      })
      this.role.addToPolicy(
        new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [own] }),
      )
    }

    this.rollout = new Rollout(this, 'Rollout', { config, name: props.name, lambda: this.lambda })
    this.live = this.rollout.alias
    watchFunction(this, { config, alarms }, props)
  }
}
