/** `ip route`, `ip rule`, `ip neigh` add and del. Source: net/ipv4/fib_semantics.c fib_check_nh(). */

import { readAddress, writePrefix } from '../net/address.ts'
import { lookupRoute, makeFib } from './fib.ts'
import { readMac } from './load-devices.ts'
import { readRoute, readRouteRule } from './route-text.ts'
import type { TextReading } from './route-text.ts'
import { deviceNamed } from './topology.ts'
import type { Namespace, Route } from './topology.ts'

/** Returns the namespace after `add`, `del` or (routes) `replace`. */
export function changeRoutes(namespace: Namespace, object: 'route' | 'rule' | 'neigh', words: readonly string[]): TextReading<Namespace> {
  const [verb = '', ...rest] = words
  if (object === 'route') return changeRoute(namespace, verb, rest)
  if (object === 'neigh') return changeNeighbour(namespace, verb, rest)
  const rule = readRouteRule(rest.join(' '))
  if (!rule.ok) return rule
  if (verb === 'add') return { ok: true, value: { ...namespace, rules: [...namespace.rules, rule.value] } }
  const left = namespace.rules.filter(one => JSON.stringify(one) !== JSON.stringify(rule.value))
  return left.length < namespace.rules.length ? { ok: true, value: { ...namespace, rules: left } } : problem('there is no such rule')
}

function changeRoute(namespace: Namespace, verb: string, words: readonly string[]): TextReading<Namespace> {
  const isRemoval = verb === 'del' || verb === 'delete'
  const reading = readRoute(withDevice(namespace, words, isRemoval).join(' '))
  if (!reading.ok) return reading
  const route = reading.value
  const namesMetric = words.includes('metric') || !isRemoval
  const isSame = (one: Route): boolean => writePrefix(one.prefix) === writePrefix(route.prefix) && one.table === route.table && (!namesMetric || one.metric === route.metric)
  const others = namespace.routes.filter(one => !isSame(one))
  if (isRemoval) return others.length < namespace.routes.length ? { ok: true, value: { ...namespace, routes: others } } : problem('there is no such route')
  if (verb === 'add' && others.length < namespace.routes.length) return problem('the route is there already')
  if (verb !== 'add' && verb !== 'replace') return problem(`\`ip route ${verb}\` is not known here`)
  const wrong = gatewayProblem(namespace, route)
  return wrong === undefined ? { ok: true, value: { ...namespace, routes: [...others, route] } } : problem(wrong)
}

/** `ip route add default via 10.0.0.1` finds the device by itself. */
function withDevice(namespace: Namespace, words: readonly string[], isRemoval: boolean): readonly string[] {
  if (words.includes('dev')) return words
  const gateway = readAddress(words[words.indexOf('via') + 1 || words.length] ?? '')
  const found = gateway === undefined ? undefined : lookupRoute(makeFib(namespace), { destination: gateway, mark: 0, tos: 0 }).device
  return found === undefined ? (isRemoval ? [...words, 'dev', '?'] : words) : [...words, 'dev', found]
}

/** Kernel: a gateway must be on the link. */
function gatewayProblem(namespace: Namespace, { gateway, device }: Route): string | undefined {
  if (device !== undefined && !deviceNamed(namespace, device)) return `there is no device \`${device}\``
  if (device !== undefined && !deviceNamed(namespace, device)?.up) return `device \`${device}\` is down`
  if (gateway === undefined) return undefined
  const way = lookupRoute(makeFib(namespace), { destination: gateway, mark: 0, tos: 0, ...(device === undefined ? {} : { outDevice: device }) })
  return way.kind === 'unicast' && way.gateway === undefined ? undefined : 'the gateway is on none of the networks'
}

function changeNeighbour(namespace: Namespace, verb: string, words: readonly string[]): TextReading<Namespace> {
  const option = (name: string): string => words[words.indexOf(name) + 1 || words.length] ?? ''
  const address = readAddress(words.find(word => readAddress(word) !== undefined) ?? '')
  const device = deviceNamed(namespace, option('dev'))?.name
  if (address === undefined || device === undefined) return problem('write `ip neigh add ADDRESS lladdr MAC dev DEVICE`')
  const others = namespace.neighbours.filter(one => one.address !== address || one.device !== device)
  if (verb === 'del') return { ok: true, value: { ...namespace, neighbours: others } }
  const mac = readMac(option('lladdr'))
  return mac === undefined ? problem(`\`${option('lladdr')}\` is not a MAC address`) : { ok: true, value: { ...namespace, neighbours: [...others, { address, device, mac }] } }
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text }
}
