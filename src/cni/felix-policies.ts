/** What felix writes for pods: dispatch by device, a chain for each direction of a pod, policies and profiles. Source: calico felix/rules/{dispatch,endpoints,policy}.go. */

import { CT_STATE } from '../meaning/fields.ts'
import type { Prefix } from '../net/address.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { NumberRange } from '../net/ranges.ts'
import { POLICY_KINDS } from './calico.ts'
import type { CalicoNode, CalicoPolicy, CalicoWorkload, PolicyRule } from './calico.ts'
import { arrivesOn, clear, comesFrom, end, FELIX_MARK, felixName, felixRule, goesTo, goTo, isMarked, isUnmarked, jump, leavesBy, nothing, ofNumber, ofPorts, ofProtocol, ofState, raise, setTo } from './felix-rule.ts'
import type { FelixRule, FelixTest } from './felix-rule.ts'
import type { FelixChain } from './felix-static.ts'

const DIRECTIONS = {
  ingress: { endpoint: 'cali-tw-', policy: 'cali-pi-', profile: 'cali-pri-', dispatch: 'cali-to-wl-dispatch', device: leavesBy },
  egress: { endpoint: 'cali-fw-', policy: 'cali-po-', profile: 'cali-pro-', dispatch: 'cali-from-wl-dispatch', device: arrivesOn },
} as const

type Direction = keyof typeof DIRECTIONS

/** Returns the chains of all pods. Only those that a rule leads to are written. */
export function podChains(node: CalicoNode): readonly FelixChain[] {
  return (['ingress', 'egress'] as const).flatMap(direction => {
    const policies = [...new Set(node.workloads.flatMap(workload => workload[direction]))]
    const profiles = [...new Set(node.workloads.flatMap(workload => workload.profiles))]
    return [
      ...dispatchChains(node, direction),
      ...node.workloads.map(workload => endpointChain(node, workload, direction)),
      ...policies.map(policy => policyChain(policy, direction)),
      ...profiles.map(profile => profileChain(profile, direction)),
    ]
  })
}

/** Several devices with the same next character go through a chain of their own. */
function dispatchChains({ workloads }: CalicoNode, direction: Direction): readonly FelixChain[] {
  const { dispatch: name, device, endpoint } = DIRECTIONS[direction]
  const devices = [...new Set(workloads.map(workload => workload.device))].sort()
  const common = commonPrefix(devices)
  const prefixes = [...new Set(devices.map(one => one.slice(0, common.length + 1)))]
  const byPrefix = prefixes.map(prefix => [prefix, devices.filter(one => one.slice(0, common.length + 1) === prefix)] as const)
  const unknown = felixRule([], end('DROP'), 'a device that felix does not know of', 'Unknown interface')
  const toPod = (one: string): FelixRule => felixRule([device(one)], goTo(felixName(endpoint, one)), `${one} is a pod's`)
  const children = byPrefix.filter(([, list]) => list.length > 1).map(([prefix, list]): FelixChain => ({ table: 'filter', name: `${name}-${prefix.slice(common.length)}`, rules: [...list.map(toPod), unknown] }))
  const rules = byPrefix.map(([prefix, [first = '', ...others]]) => (others.length === 0 ? toPod(first) : felixRule([device(`${prefix}+`)], goTo(`${name}-${prefix.slice(common.length)}`), `devices that begin with ${prefix}`)))
  return [{ table: 'filter', name, rules: [...rules, unknown] }, ...children]
}

function commonPrefix(names: readonly string[]): string {
  const [first = '', ...others] = names
  const length = [...first].findIndex((character, index) => others.some(other => other[index] !== character))
  return length === -1 ? first : first.slice(0, length)
}

function endpointChain({ vxlanPort }: CalicoNode, workload: CalicoWorkload, direction: Direction): FelixChain {
  const { endpoint, policy: policyPrefix, profile: profilePrefix } = DIRECTIONS[direction]
  const accepted = (comment: string): FelixRule => felixRule([isMarked(FELIX_MARK.accept)], end('RETURN'), 'what was let through goes on', comment)
  const tunnels = direction === 'ingress' ? [] : [
    felixRule([ofNumber(PROTOCOL.udp), ofPorts('destination', [{ low: vxlanPort, high: vxlanPort }])], end('DROP'), 'a tunnel would lead around policies', 'Drop VXLAN encapped packets originating in workloads'),
    felixRule([ofNumber(4)], end('DROP'), 'a tunnel would lead around policies', 'Drop IPinIP encapped packets originating in workloads'),
  ]
  const policies = workload[direction].flatMap(policy => [felixRule([isUnmarked(FELIX_MARK.pass)], jump(policyName(policyPrefix, policy)), `policy ${policy.key}`), accepted('Return if policy accepted')])
  return { table: 'filter', name: felixName(endpoint, workload.device), rules: [
    felixRule([ofState('RELATED,ESTABLISHED', CT_STATE.RELATED | CT_STATE.ESTABLISHED)], end('ACCEPT'), 'what belongs to a connection passes'),
    felixRule([ofState('INVALID', CT_STATE.INVALID)], end('DROP'), 'what belongs to none and begins none does not'),
    felixRule([], clear(FELIX_MARK.accept | FELIX_MARK.pass), 'what policies say begins here'),
    ...tunnels,
    ...(policies.length === 0 ? [] : [
      felixRule([], clear(FELIX_MARK.pass), 'policies of the tier are asked', 'Start of tier default'), ...policies,
      felixRule([isUnmarked(FELIX_MARK.pass)], end('DROP'), 'a pod with policies is sent only what one of them lets through', 'End of tier default. Drop if no policies passed packet'),
    ]),
    ...workload.profiles.flatMap(profile => [felixRule([], jump(felixName(profilePrefix, profile)), `profile ${profile}`), accepted('Return if profile accepted')]),
    felixRule([], end('DROP'), 'nothing let the packet through', 'Drop if no profiles matched'),
  ] }
}

function policyName(prefix: string, { kind, key }: CalicoPolicy): string {
  const short = Object.entries(POLICY_KINDS).find(([name]) => name === kind)?.[1] ?? 'knp'
  return felixName(prefix, `${short}/${key}`)
}

function policyChain(policy: CalicoPolicy, direction: Direction): FelixChain {
  return { table: 'filter', name: policyName(DIRECTIONS[direction].policy, policy), rules: withTitle(policy[direction].flatMap(rulesOf), `${policy.kind} ${policy.key} ${direction}`) }
}

/** Namespaces let everything through; service accounts say nothing. */
function profileChain(profile: string, direction: Direction): FelixChain {
  const everything: PolicyRule = { action: 'allow', protocol: undefined, from: [], to: [], sourcePorts: [], ports: [] }
  const rules = profile.startsWith('kns.') ? rulesOf(everything) : []
  return { table: 'filter', name: felixName(DIRECTIONS[direction].profile, profile), rules: withTitle(rules, `Profile ${profile} ${direction}`) }
}

/** Returns at the end of a chain do nothing; the first rule says whose chain it is, which is all that an empty one has. */
function withTitle(rules: readonly FelixRule[], title: string): readonly FelixRule[] {
  const last = rules.findLastIndex(({ action }) => action.words !== '--jump RETURN')
  const [first = felixRule([], nothing, 'nothing is let through here'), ...others] = rules.slice(0, last + 1)
  return [{ ...first, comments: [title, ...first.comments] }, ...others]
}

/** Lists that one rule cannot have are tried one by one before it; a mark says whether all of them held. */
function rulesOf(rule: PolicyRule): readonly FelixRule[] {
  const { protocol, from, to, sourcePorts, ports, action } = rule
  const protocolTest = protocol ? [ofProtocol(protocol.name, protocol.number)] : []
  const [sourceLists, portLists] = [splitPorts(sourcePorts), splitPorts(ports)]
  const blocks = [
    ...(sourceLists.length > 1 ? [sourceLists.map(list => [...protocolTest, ofPorts('source', list)])] : []),
    ...(portLists.length > 1 ? [portLists.map(list => [...protocolTest, ofPorts('destination', list)])] : []),
    ...(from.length > 1 ? [from.map(prefix => [comesFrom(prefix)])] : []),
    ...(to.length > 1 ? [to.map(prefix => [goesTo(prefix)])] : []),
  ]
  const alone = <T>(list: readonly T[], test: (value: T) => FelixTest): readonly FelixTest[] => (list.length === 1 ? list.map(test) : [])
  const tests = [
    ...protocolTest, ...alone<Prefix>(from, comesFrom), ...alone(sourceLists, list => ofPorts('source', list)),
    ...alone<Prefix>(to, goesTo), ...alone(portLists, list => ofPorts('destination', list)),
    ...(blocks.length > 0 ? [isMarked(FELIX_MARK.scratch0)] : []),
  ]
  const mark = FELIX_MARK[action === 'allow' ? 'accept' : action === 'deny' ? 'drop' : 'pass']
  const words = { allow: 'lets the packet through', deny: 'drops the packet', pass: 'leaves the packet to the next tier' }[action]
  return [
    ...blockRules(blocks),
    felixRule(tests, raise(mark), `the policy ${words}`),
    felixRule([isMarked(mark)], end(action === 'deny' ? 'DROP' : 'RETURN'), `the policy ${words}`),
  ]
}

function blockRules(blocks: readonly (readonly (readonly FelixTest[])[])[]): readonly FelixRule[] {
  if (blocks.length === 0) return []
  const { scratch0, scratch1 } = FELIX_MARK
  return [
    felixRule([], setTo(0, scratch0 | scratch1), 'lists that one rule cannot have follow'),
    ...blocks.flatMap((block, index) => [
      ...block.map(tests => felixRule(tests, raise(index === 0 ? scratch0 : scratch1), 'one of the list')),
      ...(index === 0 ? [] : [felixRule([isUnmarked(scratch1)], clear(scratch0), 'none of the list')]),
    ]),
  ]
}

/** A rule takes 15 ports; a range counts as two. */
function splitPorts(ports: readonly NumberRange[]): readonly (readonly NumberRange[])[] {
  const lists: NumberRange[][] = []
  let left = 0
  for (const range of ports) {
    const needed = range.low === range.high ? 1 : 2
    if (left < needed) {
      lists.push([])
      left = 15
    }
    lists.at(-1)?.push(range)
    left -= needed
  }
  return lists
}
