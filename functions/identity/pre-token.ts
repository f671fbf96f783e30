import type { PreTokenGenerationV2TriggerEvent } from 'aws-lambda'
import { observed } from '../adapters/observe.ts'
import { grantOf } from './claims.ts'

/** Cognito asks before it makes tokens (event version 2, which may change access tokens). */
export const handler = observed<
  PreTokenGenerationV2TriggerEvent,
  PreTokenGenerationV2TriggerEvent
>().handler(async (event) => {
  const { groupConfiguration, userAttributes } = event.request
  const grant = grantOf(groupConfiguration.groupsToOverride ?? [], userAttributes)
  event.response = {
    claimsAndScopeOverrideDetails: {
      accessTokenGeneration: {
        claimsToAddOrOverride: { ...grant.claims },
        scopesToAdd: [...grant.scopes],
        scopesToSuppress: [...grant.withheld],
      },
    },
  }
  return event
})
