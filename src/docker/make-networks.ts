/** Networks that were asked for -> networks with subnets, bridges and gateways, docker0 first. */

import type { Report } from '../diagnostics/diagnostic.ts'
import type { Span } from '../diagnostics/source-file.ts'
import { familyOf, prefixIncludes, writeAddress, writePrefix } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { prefixAround } from '../net/prefix-math.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import { hexDigits, sha256 } from '../net/sha256.ts'
import { claimAddress, openAddresses, takeAddress } from './address-pool.ts'
import type { AddressesInUse } from './address-pool.ts'
import { DEFAULT_BRIDGE, DEFAULT_NETWORK, SWARM_GATEWAY } from './default-network.ts'
import { isAtLeast } from './engine.ts'
import type { DockerNetwork, NetworkSide } from './model.ts'
import { LABEL, readNetworkOptions } from './network-options.ts'
import type { NetworkOptions } from './network-options.ts'
import type { DriverOption, HostPlan, NetworkPlan, PoolPlan } from './plan.ts'
import { claimSubnet, openPools, takeSubnet } from './subnet-pools.ts'
import type { SubnetPools } from './subnet-pools.ts'

/** A network with the addresses that it gives to containers. */
export interface MadeNetwork {
  readonly network: DockerNetwork
  readonly addresses: Readonly<Partial<Record<Family, AddressesInUse>>>
  readonly devicePrefix: string
}

/** Makes docker0, the gateway network of a swarm, and the networks of the plan; one that an engine refuses is reported and left out. */
export function makeNetworks(plan: HostPlan, report: Report): readonly MadeNetwork[] {
  const pools = openPools(plan.options.addressPools)
  const places = new Map<Prefix, Placement>()
  const own = [defaultNetworkPlan(plan), ...(plan.options.swarm ? [swarmGatewayPlan(plan)] : [])]
  return [...own, ...plan.networks].flatMap(network => makeNetwork(network, { plan, pools, places, report }) ?? [])
}

interface Making {
  readonly plan: HostPlan
  readonly pools: SubnetPools
  /** Who has a subnet. */
  readonly places: Map<Prefix, Placement>
  readonly report: Report
}

interface Placement {
  readonly name: string
  readonly span: Span
}

function makeNetwork(network: NetworkPlan, making: Making): MadeNetwork | undefined {
  const { plan, report } = making
  const isDefault = network.name === DEFAULT_NETWORK
  const options = readNetworkOptions(network, plan.engine, isDefault ? {} : plan.options.networkOptions, report)
  const ipv4 = network.ipv4 || !isAtLeast(plan.engine, 28)
  const families = [...(ipv4 ? ['ipv4' as const] : []), ...(network.ipv6 ? ['ipv6' as const] : [])]
  const sides = families.map(family => ({ family, made: makeSide(network, family, options, making) }))
  if (sides.some(({ made }) => made === undefined)) return undefined
  const side = (family: Family): MadeSide | undefined => sides.find(one => one.family === family)?.made
  const [side4, side6] = [side('ipv4'), side('ipv6')]
  return {
    devicePrefix: options.devicePrefix,
    addresses: { ...(side4 ? { ipv4: side4.addresses } : {}), ...(side6 ? { ipv6: side6.addresses } : {}) },
    network: {
      name: network.name, key: network.key, bridge: options.bridge ?? bridgeName(network), isInternal: network.isInternal, icc: options.icc, masquerade: options.masquerade,
      sides: { ...(side4 ? { ipv4: side4.side } : {}), ...(side6 ? { ipv6: side6.side } : {}) },
      hostBinding: options.hostBinding, trustedDevices: options.trustedDevices, mtu: options.mtu, inhibitIpv4: options.inhibitIpv4, span: network.span,
    },
  }
}

/** Bridges without a name of their own are called after the network's id. */
function bridgeName({ name, id }: NetworkPlan): string {
  return `br-${(id ?? hexDigits(sha256(`network:${name}`))).slice(0, 12)}`
}

interface MadeSide {
  readonly side: NetworkSide
  readonly addresses: AddressesInUse
}

function makeSide(network: NetworkPlan, family: Family, options: NetworkOptions, making: Making): MadeSide | undefined {
  const { plan, report } = making
  const pools = network.pools.filter(one => poolFamily(one) === family || (poolFamily(one) === undefined && family === 'ipv4'))
  const [pool, second] = pools
  if (second) report('engine-refuses', 'error', second.span, `engine ${plan.engine.text} refuses network \`${network.name}\`: a bridge has one ${NAMES[family]} subnet, not several`)
  const prefix = subnetOf(network, pool, family, making)
  if (!prefix) return undefined
  const range = pool?.range && prefixAround(pool.range.value.address, pool.range.value.length)
  const addresses = openAddresses(prefix, range)
  const mode = options.modes[family]
  const gateway = mode === 'isolated' ? undefined : takeGateway(addresses, pool, network, report)
  const reserved = (pool?.reserved ?? []).map(({ value }) => value)
  for (const address of reserved) void claimAddress(addresses, address)
  const hostAddress = options.hostAddresses[family]
  return { addresses, side: { prefix, mode, reserved, ...(gateway === undefined ? {} : { gateway }), ...(range ? { range } : {}), ...(hostAddress === undefined ? {} : { hostAddress }) } }
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const

function poolFamily({ subnet, gateway, range }: PoolPlan): Family | undefined {
  const address = subnet?.value.address ?? gateway?.value ?? range?.value.address
  return address === undefined ? undefined : familyOf(address)
}

function subnetOf(network: NetworkPlan, pool: PoolPlan | undefined, family: Family, { plan, pools, places, report }: Making): Prefix | undefined {
  const place = { name: network.name, span: pool?.subnet?.span ?? network.span }
  if (pool?.subnet) {
    const prefix = prefixAround(pool.subnet.value.address, pool.subnet.value.length)
    const other = claimSubnet(pools, prefix)
    if (!other) {
      places.set(prefix, place)
      return prefix
    }
    const owner = places.get(other)
    report('overlapping-subnets', 'error', place.span, `subnet ${writePrefix(prefix)} of network \`${network.name}\` overlaps ${writePrefix(other)} of network \`${owner?.name}\``, {
      help: 'the engine refuses a network whose subnet overlaps that of another',
      ...(owner && owner.span.start !== place.span.start ? { related: [{ span: owner.span, message: `network \`${owner.name}\` has ${writePrefix(other)}` }] } : {}),
    })
    return undefined
  }
  const asksForPool = family === 'ipv6' && !isAtLeast(plan.engine, 27) && !plan.options.addressPools.some(({ base }) => familyOf(base.address) === 'ipv6')
  const prefix = asksForPool ? undefined : takeSubnet(pools, family)
  if (prefix) places.set(prefix, place)
  else report('engine-refuses', 'error', place.span, `engine ${plan.engine.text} refuses network \`${network.name}\`: ${asksForPool ? 'up to 26.1 a network with IPv6 needs an IPv6 subnet' : `no ${NAMES[family]} subnet is free in its pools`}`, { help: 'give it a subnet under `ipam`' })
  return prefix
}

function takeGateway(addresses: AddressesInUse, pool: PoolPlan | undefined, { name }: NetworkPlan, report: Report): Address | undefined {
  if (!pool?.gateway) return takeAddress(addresses)
  const { value, span } = pool.gateway
  const problem = claimAddress(addresses, value)
  if (problem === 'outside') report('engine-refuses', 'error', span, `gateway ${writeAddress(value)} of network \`${name}\` is not in its subnet ${writePrefix(addresses.prefix)}`)
  return value
}

function defaultNetworkPlan({ options, engine, span }: HostPlan): NetworkPlan {
  const labels: DriverOption[] = [
    { name: LABEL.name, value: DEFAULT_BRIDGE, span }, { name: LABEL.icc, value: String(options.icc), span }, { name: LABEL.masquerade, value: String(options.ipMasq), span },
    { name: LABEL.mtu, value: String(options.mtu), span }, { name: LABEL.binding, value: writeAddress(options.ip), span },
  ]
  const bip6 = isAtLeast(engine, 28) ? options.bip6 : undefined
  const pools = [...defaultPool(options.bip, options.fixedCidr, options.defaultGateway, span), ...(options.ipv6 ? defaultPool(bip6, options.fixedCidr6, options.defaultGateway6, span) : [])]
  return { key: DEFAULT_NETWORK, name: DEFAULT_NETWORK, isInternal: false, ipv4: true, ipv6: options.ipv6, options: labels, pools, span }
}

/** `bip` is the bridge's address and its subnet, `fixed-cidr` the range within; alone it is the subnet. The gateway of containers may be another machine. */
function defaultPool(bip: AddressWithLength | undefined, fixed: AddressWithLength | undefined, gateway: Address | undefined, span: Span): PoolPlan[] {
  const subnet = bip ?? fixed
  if (!subnet) return []
  const prefix = prefixAround(subnet.address, subnet.length)
  const isOwn = subnet.address !== prefix.address
  const other = gateway !== undefined && prefixIncludes(prefix, gateway) ? [{ value: gateway, span }] : []
  return [{ subnet: { value: subnet, span }, ...(isOwn ? { gateway: { value: subnet.address, span } } : {}), ...(bip && fixed ? { range: { value: fixed, span } } : {}), reserved: other, span }]
}

function swarmGatewayPlan({ span }: HostPlan): NetworkPlan {
  const options = [{ name: LABEL.name, value: SWARM_GATEWAY, span }, { name: LABEL.icc, value: 'false', span }]
  return { key: SWARM_GATEWAY, name: SWARM_GATEWAY, isInternal: false, ipv4: true, ipv6: false, options, pools: [], span }
}
