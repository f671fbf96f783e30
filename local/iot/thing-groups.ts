import * as z from 'zod'
import type { ControlRoute } from '../runtime.ts'
import { type Control, json, type Route } from './control.ts'
import { IotError } from './errors.ts'

const GROUP_NAME = /^[a-zA-Z0-9:_-]{1,128}$/
const createGroup = z.object({
  thingGroupProperties: z.object({ thingGroupDescription: z.string().optional() }).optional(),
})
const membership = z.object({ thingGroupName: z.string(), thingName: z.string() })

/** Static thing groups: made, described, and which things are in them. */
export function groupRoutes({ registry, arn }: Control, route: Route): ControlRoute[] {
  const named = (name: string) => ({
    groupName: name,
    groupArn: `${arn}:thinggroup/${name}`,
  })
  return [
    route('PUT', /^\/thing-groups\/addThingToThingGroup$/, ({ body }) => {
      const { thingGroupName, thingName } = membership.parse(json(body))
      registry.addToGroup(thingGroupName, thingName)
    }),
    route('PUT', /^\/thing-groups\/removeThingFromThingGroup$/, ({ body }) => {
      const { thingGroupName, thingName } = membership.parse(json(body))
      registry.removeFromGroup(thingGroupName, thingName)
    }),
    route('POST', /^\/thing-groups\/([^/]+)$/, ({ body }, name) => {
      if (!GROUP_NAME.test(name)) {
        throw new IotError(400, 'InvalidRequestException', `group name ${name}: ${GROUP_NAME}`)
      }
      const { thingGroupProperties } = createGroup.parse(json(body))
      registry.createGroup(name, thingGroupProperties?.thingGroupDescription ?? '')
      return { thingGroupName: name, thingGroupArn: `${arn}:thinggroup/${name}` }
    }),
    route('GET', /^\/thing-groups$/, ({ query }) => {
      const prefix = query.get('namePrefixFilter') ?? ''
      return { thingGroups: registry.groups(prefix).map(named) }
    }),
    route('GET', /^\/thing-groups\/([^/]+)$/, (_, name) => ({
      thingGroupName: name,
      thingGroupArn: `${arn}:thinggroup/${name}`,
      thingGroupProperties: { thingGroupDescription: registry.needGroup(name) },
    })),
    route('GET', /^\/thing-groups\/([^/]+)\/things$/, (_, name) => ({
      things: registry.thingsIn(name),
    })),
    route('GET', /^\/things\/([^/]+)\/thing-groups$/, (_, name) => {
      registry.needThing(name)
      return { thingGroups: registry.groupsOf(name).map(named) }
    }),
  ]
}
