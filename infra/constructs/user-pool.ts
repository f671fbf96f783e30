import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import {
  AccountRecovery,
  CfnUserPoolGroup,
  ClientAttributes,
  FeaturePlan,
  LambdaVersion,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  StringAttribute,
  UserPool,
  type UserPoolClient,
  UserPoolOperation,
} from 'aws-cdk-lib/aws-cognito'
import { Construct } from 'constructs'
import type { StageConfig } from '../config.ts'
import { LOOPBACK_CALLBACK, physicalName } from '../names.ts'
import { type FunctionContext, ServiceFunction } from './function.ts'

/** What a token may be used for, and the groups a person may be in. */
export const SCOPES = ['read', 'operate', 'admin'] as const
export type ScopeName = (typeof SCOPES)[number]

/** Prefix of the scopes in tokens: `autovolt/read`. */
export const RESOURCE_SERVER = 'autovolt'

const groups = {
  admin: 'May do everything, tariffs and corrections included',
  operator: 'Provisions nodes, sends readings for gateways, works on tickets',
  viewer: 'Reads figures and reports',
}

/** The people: sign-in by e-mail with a second factor, three roles, and the client of the dashboard. */
export class People extends Construct {
  readonly pool: UserPool
  readonly client: UserPoolClient
  /** The hosted sign-in page. */
  readonly signInUrl: string

  constructor(scope: Construct, id: string, context: FunctionContext) {
    super(scope, id)
    const { config } = context

    this.pool = new UserPool(this, 'Pool', {
      userPoolName: physicalName(config, 'people'),
      featurePlan: FeaturePlan.ESSENTIALS,
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      signInCaseSensitive: false,
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      mfa: Mfa.REQUIRED,
      // One-time passwords only: text messages cost money and need a role of their own.
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 12,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(3),
      },
      // A JSON list of the only classrooms a viewer may see; absent: all. No client can write it.
      customAttributes: { classrooms: new StringAttribute({ maxLen: 2_048, mutable: true }) },
      deletionProtection: config.protectData,
      removalPolicy: config.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    Validations.of(this.pool).acknowledge({
      id: 'AwsSolutions-COG8',
      reason:
        'The Plus plan is billed for every active user. Accounts are made by an administrator, and a second factor is required of everyone.',
    })

    const preToken = new ServiceFunction(this, 'PreToken', context, {
      name: 'pre-token',
      entry: 'functions/identity/pre-token.ts',
      description:
        'Gives a token the scopes of its owner’s groups, and the classrooms they may see',
      rights: {},
      memoryMb: 256,
      // Cognito waits five seconds, and then refuses the sign-in.
      timeout: Duration.seconds(5),
    })
    this.pool.addTrigger(
      UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG,
      preToken.live,
      LambdaVersion.V2_0,
    )

    for (const [groupName, description] of Object.entries(groups)) {
      new CfnUserPoolGroup(this, `Group-${groupName}`, {
        userPoolId: this.pool.userPoolId,
        groupName,
        description,
      })
    }

    const scopes = {
      read: new ResourceServerScope({ scopeName: 'read', scopeDescription: 'Read figures' }),
      operate: new ResourceServerScope({ scopeName: 'operate', scopeDescription: 'Operate nodes' }),
      admin: new ResourceServerScope({ scopeName: 'admin', scopeDescription: 'Administer' }),
    } satisfies Record<ScopeName, ResourceServerScope>
    const server = this.pool.addResourceServer('Api', {
      identifier: RESOURCE_SERVER,
      scopes: Object.values(scopes),
    })

    // A browser keeps no secret: authorization code with PKCE, which Cognito asks of clients
    // that have none.
    this.client = this.pool.addClient('Dashboard', {
      userPoolClientName: physicalName(config, 'dashboard'),
      generateSecret: false,
      // Naming one flow as closed closes all but refresh; leaving this out would open SRP.
      authFlows: { userSrp: false },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [
          OAuthScope.OPENID,
          OAuthScope.EMAIL,
          ...SCOPES.map((name) => OAuthScope.resourceServer(server, scopes[name])),
        ],
        callbackUrls: [
          ...config.corsOrigins.map((origin) => `${origin}/`),
          ...(allowsLoopback(config) ? [LOOPBACK_CALLBACK] : []),
        ],
        logoutUrls: config.corsOrigins.map((origin) => `${origin}/`),
      },
      // What limits a person is written by administrators, never through a client.
      readAttributes: new ClientAttributes().withStandardAttributes({ email: true }),
      writeAttributes: new ClientAttributes().withStandardAttributes({ email: true }),
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.hours(1),
      idTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.hours(12),
    })

    // Prefixes are shared by all accounts of a region, so ours carries the account.
    const domain = this.pool.addDomain('SignIn', {
      cognitoDomain: { domainPrefix: physicalName(config, Stack.of(this).account) },
    })
    this.signInUrl = domain.baseUrl()
  }
}

/** People of production sign in through the dashboard only; elsewhere also from a terminal. */
const allowsLoopback = ({ stage }: StageConfig) => stage !== 'prod'
