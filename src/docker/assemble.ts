/** A plan -> the host as its engine makes it: networks, then containers one after the other, each finished before the next. */

import { reportInto } from '../diagnostics/diagnostic.ts'
import type { Diagnostic, Report } from '../diagnostics/diagnostic.ts'
import { familyOf, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { lengthOf } from '../net/prefix-math.ts'
import { claimAddress, releaseAddress, takeAddress } from './address-pool.ts'
import { joinAll } from './connect.ts'
import type { JoinAnswer } from './connect.ts'
import { DEFAULT_NETWORK, SWARM_GATEWAY } from './default-network.ts'
import { isAtLeast } from './engine.ts'
import { openHostPorts } from './host-ports.ts'
import type { HostPorts } from './host-ports.ts'
import { makeNetworks } from './make-networks.ts'
import type { MadeNetwork } from './make-networks.ts'
import type { DockerHost, Endpoint, Join, Sandbox } from './model.ts'
import type { ContainerPlan, HostPlan, JoinPlan, NetworkPlan, Placed } from './plan.ts'
import { FORETOLD_PORTS } from './port-order.ts'

/** The host, and what its engine refuses. */
export interface Assembly {
  readonly value: DockerHost
  readonly diagnostics: readonly Diagnostic[]
}

/** Makes the host. A network or container that the engine refuses is reported and left out. */
export function assembleHost(plan: HostPlan): Assembly {
  const diagnostics: Diagnostic[] = []
  const report = reportInto(diagnostics)
  const networks = makeNetworks(plan, report)
  const state: Assembling = { plan, networks: new Map(networks.map(made => [made.network.key, made])), ports: openHostPorts(), sandboxes: new Map(), joins: [], report }
  for (const container of plan.containers) startContainer(container, state)
  const swarm = plan.options.swarm
  const ingress = swarm && startSwarm(state, swarm.tasks)
  const gateway = state.networks.get(SWARM_GATEWAY)
  return {
    diagnostics,
    value: {
      project: plan.project, engine: plan.engine, options: plan.options, networks: networks.map(({ network }) => network),
      sandboxes: [...state.sandboxes.values()].map(sandbox => withGuests(sandbox, plan.containers)), joins: state.joins,
      ...(swarm && ingress && gateway ? { ingress: { network: gateway.network, sandbox: ingress, ports: swarm.ports } } : {}),
      assumptions: assumptionsOf(plan, networks),
    },
  }
}

interface Assembling {
  readonly plan: HostPlan
  readonly networks: ReadonlyMap<string, MadeNetwork>
  readonly ports: HostPorts
  readonly sandboxes: Map<string, Sandbox>
  readonly joins: Join[]
  readonly report: Report
}

function startContainer(container: ContainerPlan, state: Assembling): void {
  const { plan, report } = state
  if (container.mode === 'guest') return
  const endpoints = container.mode === 'own' ? makeEndpoints(container, state) : []
  if (!endpoints) return
  const { engine, options } = plan
  const answer = joinAll({ owner: container.name, endpoints, requests: container.ports, exposed: container.exposed, engine, userlandProxy: options.userlandProxy }, state.ports)
  if (!answer.ok) {
    for (const endpoint of endpoints) leave(endpoint, state)
    reportStop(container, answer, report)
    return
  }
  const sandbox: Sandbox = {
    container: container.name, kind: container.mode === 'host' ? 'host' : 'own', endpoints, guests: [], sysctls: container.sysctls, span: container.span,
    exposed: exposedPorts(container), ...(container.service === undefined ? {} : { service: container.service }),
  }
  const links = container.links.flatMap(name => state.sandboxes.get(name) ?? []).map(to => ({ from: sandbox, to }))
  state.sandboxes.set(container.name, sandbox)
  for (const [index, endpoint] of endpoints.entries()) {
    state.joins.push({ sandbox, endpoint, links: endpoint.network.name === DEFAULT_NETWORK ? links : [], bindings: answer.bindings[index] ?? [] })
  }
}

function reportStop(container: ContainerPlan, { request, owner }: Extract<JoinAnswer, { ok: false }>, report: Report): void {
  const { low, high } = request.hostPorts ?? { low: 0, high: 0 }
  const what = owner === undefined ? `no port of ${low}-${high}/${request.protocol} is free on the host` : `port ${low}/${request.protocol} of the host is taken by container \`${owner}\``
  const message = owner === container.name ? `container \`${container.name}\` publishes port ${low}/${request.protocol} of the host twice` : `${what}: container \`${container.name}\` cannot start`
  const help = owner === undefined ? 'make the range larger' : 'publish it on another port, or on another address of the host'
  report('port-claimed-twice', 'error', request.span ?? container.span, message, { help })
}

/** Published ports are exposed too. */
function exposedPorts({ exposed, ports }: ContainerPlan): Sandbox['exposed'] {
  const all = [...exposed, ...ports.map(({ protocol, containerPort }) => ({ protocol, port: containerPort }))]
  return all.filter((one, index) => all.findIndex(other => other.port === one.port && other.protocol === one.protocol) === index)
}

/** Returns the endpoints in join order; undefined where an engine would not start the container. */
function makeEndpoints(container: ContainerPlan, state: Assembling): readonly Endpoint[] | undefined {
  const endpoints: Endpoint[] = []
  const counts = new Map<string, number>()
  for (const join of container.joins) {
    const made = state.networks.get(join.network)
    const addresses = made && takeAddresses(container, join, made, state)
    if (!made || !addresses) {
      for (const endpoint of endpoints) leave(endpoint, state)
      return undefined
    }
    const number = counts.get(made.devicePrefix) ?? 0
    counts.set(made.devicePrefix, number + 1)
    const mac = join.mac ?? macOf(addresses.ipv4, state)
    endpoints.push({ network: made.network, device: join.device ?? `${made.devicePrefix}${number}`, addresses, gatewayPriority: join.gatewayPriority, ...(mac === undefined ? {} : { mac }) })
  }
  return endpoints
}

function takeAddresses(container: ContainerPlan, join: JoinPlan, made: MadeNetwork, state: Assembling): Endpoint['addresses'] | undefined {
  const found: Partial<Record<Family, Address>> = {}
  for (const family of ['ipv4', 'ipv6'] as const) {
    const pool = made.addresses[family]
    const wish = join.addresses[family]
    if (!pool) continue
    const fixed = wish?.value ?? addressFromMac(join, family, found.ipv4, made, state)
    const problem = fixed === undefined ? undefined : claimAddress(pool, fixed)
    if (wish && problem) {
      reportAddress(container.name, wish, problem, pool.prefix, made.network.name, state.report)
      return undefined
    }
    const address = fixed ?? takeAddress(pool)
    if (address === undefined) {
      state.report('engine-refuses', 'error', container.span, `container \`${container.name}\` cannot start: network \`${made.network.name}\` has no free address in ${writePrefix(pool.range)}`, { help: 'give the network a larger subnet' })
      return undefined
    }
    found[family] = address
  }
  return found
}

function reportAddress(container: string, { value, span }: Placed<Address>, problem: 'taken' | 'outside', subnet: Prefix, network: string, report: Report): void {
  const [why, help] = problem === 'taken'
    ? ['gave it away', 'containers without an address of their own get the lowest one that is free when they start: choose one beyond those']
    : ['does not have it', `its subnet is ${writePrefix(subnet)}`]
  report('address-in-use', 'error', span, `container \`${container}\` cannot have ${writeAddress(value)}: network \`${network}\` ${why}`, { help })
}

/** Up to 27 docker0 with a fixed IPv6 prefix makes addresses of the prefix and the MAC address. Source: bridge.go CreateEndpoint() of v27. */
function addressFromMac(join: JoinPlan, family: Family, ipv4: Address | undefined, { network }: MadeNetwork, { plan }: Assembling): Address | undefined {
  const prefix = network.sides.ipv6?.prefix
  if (family !== 'ipv6' || network.name !== DEFAULT_NETWORK || isAtLeast(plan.engine, 28) || !plan.options.fixedCidr6 || !prefix || lengthOf(prefix) > 80) return undefined
  const mac = join.mac ?? (ipv4 === undefined ? undefined : oldMac(ipv4))
  return mac === undefined ? undefined : BigInt(prefix.address) | BigInt(`0x${mac}`)
}

/** Up to 27 the MAC address says the IPv4 address; since then it is drawn by lot. */
function macOf(ipv4: Address | undefined, { plan }: Assembling): string | undefined {
  return ipv4 === undefined || isAtLeast(plan.engine, 28) ? undefined : oldMac(ipv4)
}

function oldMac(ipv4: Address): string {
  return `0242${ipv4.toString(16).padStart(8, '0')}`
}

function leave({ network, addresses }: Endpoint, { networks }: Assembling): void {
  const pools = networks.get(network.key)?.addresses
  for (const address of Object.values(addresses)) {
    const pool = pools?.[familyOf(address)]
    if (pool) releaseAddress(pool, address)
  }
}

/** The ingress sandbox comes first, then the tasks of this node. */
function startSwarm(state: Assembling, tasks: number): Sandbox | undefined {
  const names = ['ingress-sbox', ...Array.from({ length: tasks }, (_, index) => `${state.plan.project}-task-${index + 1}`)]
  for (const name of names) {
    startContainer({ name, mode: 'own', joins: [{ network: SWARM_GATEWAY, addresses: {}, gatewayPriority: 0 }], ports: [], exposed: [], links: [], sysctls: {}, span: state.plan.span }, state)
  }
  return state.sandboxes.get('ingress-sbox')
}

function withGuests(sandbox: Sandbox, containers: readonly ContainerPlan[]): Sandbox {
  const guests = containers.filter(({ guestOf }) => guestOf === sandbox.container).map(({ name }) => name)
  return guests.length === 0 ? sandbox : { ...sandbox, guests }
}

function assumptionsOf({ containers, engine, networks: plans }: HostPlan, networks: readonly MadeNetwork[]): readonly string[] {
  const unforetold = isAtLeast(engine, 27) ? [] : containers.filter(({ ports, exposed }) => ports.length + exposed.length > FORETOLD_PORTS)
  const byChance = isAtLeast(engine, 27) ? [] : containers.filter(({ ports }) => ports.length > 1)
  const planOf = ({ network }: MadeNetwork): NetworkPlan | undefined => plans.find(({ key }) => key === network.key)
  const unnamed = networks.filter(made => isNamedByLot(made, planOf(made)))
  const drawn = networks.filter(made => made.addresses.ipv6 && planOf(made)?.pools.every(({ subnet }) => typeof subnet?.value.address !== 'bigint'))
  const bridges = unnamed.map(({ network }) => `${network.bridge} (${network.name})`).join(', ')
  return [
    ...(unnamed.length === 0 ? [] : [`the engine draws the id of a network by lot, and the bridge is called after it: ${bridges} stand${unnamed.length === 1 ? 's' : ''} for it`]),
    ...(drawn.length === 0 ? [] : ['IPv6 subnets that nobody chose come from a prefix that every engine has for itself: fd4a:5b3c:2d1e::/48 stands for it']),
    ...(unforetold.length === 0 ? [] : [`engine ${engine.text} publishes more than ${FORETOLD_PORTS} ports of a container in an order that cannot be foretold: ${unforetold.map(({ name }) => name).join(', ')}`]),
    ...(byChance.length === 0 || unforetold.length > 0 ? [] : [`engine ${engine.text} publishes the ports of a container in an order that is not fixed: the most likely one is shown`]),
  ]
}

function isNamedByLot({ network }: MadeNetwork, plan: NetworkPlan | undefined): boolean {
  return plan !== undefined && plan.id === undefined && !plan.options.some(({ value }) => value === network.bridge)
}
