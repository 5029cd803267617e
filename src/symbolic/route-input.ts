/** Where arriving packets go, as predicates. The mirror of the simulator's route-input.ts. */

import { all, always, any, equals, masked, never, not, onDevice } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import { sysctlNumber } from '../topology/topology.ts'
import { deviceSysctl, isOwn } from './described-host.ts'
import type { DescribedHost } from './described-host.ts'
import { routeCases } from './route-cases.ts'
import { ALL_HOSTS, isLoopback, isMulticast, isZeroNet, LIMITED_BROADCAST } from './special-addresses.ts'
import type { InputWay } from './surroundings.ts'

const inDevice = (name: string): Predicate => onDevice('device.in', { name, prefix: false })

const refused = (when: Predicate, reason: string): InputWay => ({ when, way: { kind: 'refused', reason } })
const local = (when: Predicate): InputWay => ({ when, way: { kind: 'local' } })

/** What the kernel refuses or takes for itself wherever it stands; `mayRouteLoopback`: the device has route_localnet. */
export function waysBeforeRouting4(mayRouteLoopback: Predicate, groupProblems: readonly InputWay[]): readonly InputWay[] {
  const deliverGroup = (when: Predicate): readonly InputWay[] => [...groupProblems.map(({ when: problem, way }) => ({ when: all([when, not(isZeroNet('ip.src')), problem]), way })), local(when)]
  return [
    refused(all([isMulticast('ip.dst'), not(equals('ip.dst', ALL_HOSTS))]), 'not-for-this-host'),
    refused(any([isMulticast('ip.src'), equals('ip.src', LIMITED_BROADCAST)]), 'martian-source'),
    ...deliverGroup(any([equals('ip.dst', ALL_HOSTS), equals('ip.dst', LIMITED_BROADCAST), all([equals('ip.src', 0), equals('ip.dst', 0)])])),
    refused(isZeroNet('ip.src'), 'martian-source'),
    refused(isZeroNet('ip.dst'), 'martian-destination'),
    refused(all([isLoopback('ip.dst'), not(mayRouteLoopback)]), 'martian-destination'),
    refused(all([not(isLoopback('ip.dst')), isLoopback('ip.src'), not(mayRouteLoopback)]), 'martian-source'),
  ]
}

/** Returns the ways of IPv4 packets. */
export function inputWays4(host: DescribedHost): readonly InputWay[] {
  const { namespace, fib } = host
  const mayRouteLoopback = devicesWith(host, name => deviceSysctl(namespace, name, 'route_localnet') !== 0)
  const problems = sourceProblems(host)
  const forwards = sysctlNumber(namespace, 'net.ipv4.ip_forward', 1) !== 0
  const cases = routeCases(fib, 'ipv4', { towards: 'destination', usesMark: true, usesTos: true, inDevice: 'packet', usesSource: true })
  const routed = cases.flatMap(({ when, decision }): readonly InputWay[] => {
    const within = (ways: readonly InputWay[]): readonly InputWay[] => ways.map(({ when: condition, way }) => ({ when: all([when, condition]), way }))
    switch (decision.kind) {
      case 'broadcast':
        return within([...problems.map(({ when: problem, way }) => ({ when: all([problem, not(isZeroNet('ip.src'))]), way })), local(always)])
      case 'local':
        return within([...problems, local(always)])
      case 'unicast':
        if (!forwards) return [refused(when, 'forwarding-off')]
        return within([...problems, { when: always, way: { kind: 'forward', device: decision.device ?? '', ...(decision.gateway === undefined ? {} : { gateway: decision.gateway }) } }])
      default:
        return [refused(when, forwards ? routeReason(decision.kind) : 'forwarding-off')]
    }
  })
  return [...waysBeforeRouting4(mayRouteLoopback, problems), ...routed]
}

function routeReason(kind: string): string {
  return kind === 'blackhole' ? 'blackhole-route' : kind === 'prohibit' ? 'prohibit-route' : kind === 'unreachable' ? 'unreachable-route' : 'no-route'
}

function devicesWith({ devices }: DescribedHost, holds: (name: string) => boolean): Predicate {
  return any(devices.filter(({ name }) => holds(name)).map(({ name }) => inDevice(name)))
}

/** Why a source is not believed: in order, the first that holds. The mirror of sourceProblem(). */
function sourceProblems(host: DescribedHost): readonly InputWay[] {
  const { namespace, devices, fib } = host
  return devices.flatMap(device => {
    const here = inDevice(device.name)
    const filter = deviceSysctl(namespace, device.name, 'rp_filter')
    const acceptsLocal = deviceSysctl(namespace, device.name, 'accept_local') !== 0
    if (filter === 0 && !fib.hasCustomRules) return acceptsLocal ? [] : [refused(all([here, isOwn(namespace, 'ip.src', 'ipv4')]), 'martian-source')]
    const usesMark = deviceSysctl(namespace, device.name, 'src_valid_mark') !== 0
    const back = routeCases(fib, 'ipv4', { towards: 'back', usesMark, usesTos: true, inDevice: 'none', usesSource: true })
    const hasAddress = device.addresses.some(({ address }) => typeof address === 'number')
    return firstMatches(back.map(({ when, decision }) => {
      if (decision.kind === 'local' || decision.kind === 'broadcast') return { when, reason: decision.kind === 'local' && acceptsLocal ? undefined : 'martian-source' }
      if (decision.kind !== 'unicast') return { when, reason: filter === 0 ? undefined : 'reverse-path' }
      return { when, reason: decision.device === device.name ? undefined : filter === 1 || (!hasAddress && filter !== 0) ? 'reverse-path' : undefined }
    })).map(({ when, reason }) => refused(all([here, when]), reason))
  })
}

/** Turns first-match cases into problems that may be asked in any order of cases without one. */
function firstMatches(cases: readonly { readonly when: Predicate; readonly reason: string | undefined }[]): readonly { readonly when: Predicate; readonly reason: string }[] {
  return cases.flatMap(({ when, reason }, index) => {
    if (reason === undefined) return []
    const before = any(cases.slice(0, index).map(one => one.when))
    return [{ when: before === never ? when : all([when, not(before)]), reason }]
  })
}

/** Returns the ways of IPv6 packets. */
export function inputWays6(host: DescribedHost): readonly InputWay[] {
  const { namespace, fib, devices } = host
  const forwards = sysctlNumber(namespace, 'net.ipv6.conf.all.forwarding', 1) !== 0
  const isGroup = masked('ip.dst', 0xffn << 120n, 0xffn << 120n)
  const joined = devices.map(device => all([inDevice(device.name), any(groupsOf(device.addresses.map(({ address }) => address), forwards).map(group => equals('ip.dst', group)))]))
  const cases = routeCases(fib, 'ipv6', { towards: 'destination', usesMark: true, usesTos: true, inDevice: 'packet', usesSource: true })
  return [
    local(all([isGroup, any(joined)])),
    refused(isGroup, 'not-for-this-host'),
    refused(all([equals('ip.dst', 1n), not(inDevice('lo'))]), 'martian-destination'),
    ...cases.map(({ when, decision }): InputWay => {
      if (decision.kind === 'local') return local(when)
      if (decision.kind === 'unicast' && devices.some(({ name, kind }) => name === decision.device && kind === 'loopback')) return refused(when, 'unreachable-route')
      if (!forwards) return refused(when, 'forwarding-off')
      if (decision.kind === 'unicast') return { when, way: { kind: 'forward', device: decision.device ?? '', ...(decision.gateway === undefined ? {} : { gateway: decision.gateway }) } }
      return refused(when, decision.kind === 'blackhole' || decision.kind === 'prohibit' ? routeReason(decision.kind) : 'no-route')
    }),
  ]
}

/** All nodes and all routers of scopes 1 and 2 (whatever the flags), and the solicited-node groups of own addresses. The mirror of isJoined6(). */
function groupsOf(addresses: readonly (number | bigint)[], forwards: boolean): readonly bigint[] {
  const flags = Array.from({ length: 16 }, (_, index) => BigInt(index))
  const group = (flag: bigint, scope: bigint, rest: bigint): bigint => (0xffn << 120n) | (flag << 116n) | (scope << 112n) | rest
  const nodes = flags.flatMap(flag => [1n, 2n].flatMap(scope => [group(flag, scope, 1n), ...(forwards ? [group(flag, scope, 2n)] : [])]))
  const solicited = addresses.flatMap(address => (typeof address === 'bigint' ? flags.map(flag => group(flag, 2n, (0x1ffn << 24n) | (address & 0xffffffn))) : []))
  return [...nodes, ...solicited]
}
