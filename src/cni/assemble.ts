/** Networks and pods -> a host: every pod with the addresses that its network's address plugin gives. */

import { reportInto } from '../diagnostics/diagnostic.ts'
import type { Diagnostic, Report } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { addressWidth, familyOf, prefixIncludes, writeAddress } from '../net/address.ts'
import type { Address, Family } from '../net/address.ts'
import { lengthOf } from '../net/prefix-math.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import { bridgeOf } from './model.ts'
import type { CniHost, CniNetwork, Ipam, IpamRange, Pod, PodPlan } from './model.ts'

/** Returns the host, and what its plugins would refuse. */
export function assembleHost(networks: readonly CniNetwork[], plans: readonly PodPlan[]): { readonly value: CniHost; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const report = reportInto(diagnostics)
  const taken = new Map<CniNetwork, Set<Address>>()
  const pods = plans.flatMap(plan => {
    const joined = networkOf(plan, networks, report)
    if (!joined) return []
    const inUse = taken.get(joined) ?? new Set()
    taken.set(joined, inUse)
    return [joinPod(plan, joined, inUse, report)]
  })
  reportClaims(pods, report)
  for (const pod of pods) reportUnpublished(pod, report)
  return { value: { networks, pods }, diagnostics }
}

function networkOf(plan: PodPlan, networks: readonly CniNetwork[], report: Report): CniNetwork | undefined {
  const network = plan.network === undefined ? networks[0] : networks.find(({ name }) => name === plan.network)
  if (!network && plan.network !== undefined) {
    const known = networks.map(({ name }) => name)
    report('unknown-network', 'error', plan.span, `there is no network \`${plan.network}\``, { help: didYouMean(plan.network, known) ?? `known are ${known.join(', ')}` })
  }
  return network
}

function joinPod(plan: PodPlan, joined: CniNetwork, inUse: Set<Address>, report: Report): Pod {
  const ipam = bridgeOf(joined)?.ipam
  const given = plan.addresses.map(address => withLength(address, ipam))
  for (const { address } of given) {
    if (inUse.has(address)) report('address-in-use', 'error', plan.span, `${writeAddress(address)} is another pod's already`)
    inUse.add(address)
  }
  const addresses = given.length > 0 || !ipam ? given : [...ipam.fixed.map(({ address }) => address), ...ipam.rangeSets.flatMap(set => nextAddress(set, inUse, plan, report))]
  return { ...plan, joined, addresses, gateways: { ...gatewayOf('ipv4', addresses, ipam), ...gatewayOf('ipv6', addresses, ipam) } }
}

function withLength({ address, length }: AddressWithLength, ipam: Ipam | undefined): AddressWithLength {
  const isAlone = length === addressWidth(familyOf(address))
  const range = isAlone ? ipam?.rangeSets.flat().find(({ subnet }) => prefixIncludes(subnet, address)) : undefined
  return { address, length: range ? lengthOf(range.subnet) : length }
}

/** host-local goes on behind the last address that it gave; pods that only come give the lowest free ones. The gateway is nobody's. */
function nextAddress(set: readonly IpamRange[], inUse: Set<Address>, plan: PodPlan, report: Report): readonly AddressWithLength[] {
  for (const { subnet, gateway, low, high } of set) {
    for (let number = BigInt(low); number <= BigInt(high); number++) {
      const address = typeof low === 'number' ? Number(number) : number
      if (address === gateway || inUse.has(address)) continue
      inUse.add(address)
      return [{ address, length: lengthOf(subnet) }]
    }
  }
  report('address-in-use', 'error', plan.span, `no address is left for pod \`${plan.name}\``)
  return []
}

function gatewayOf(family: Family, addresses: readonly AddressWithLength[], ipam: Ipam | undefined): Partial<Record<Family, Address>> {
  const own = addresses.find(({ address }) => familyOf(address) === family)
  if (!own || !ipam) return {}
  const range = ipam.rangeSets.flat().find(({ subnet }) => prefixIncludes(subnet, own.address))
  const gateway = range?.gateway ?? ipam.fixed.find(({ address }) => address.address === own.address)?.gateway
  return gateway === undefined ? {} : { [family]: gateway }
}

/** portmap asks nobody whether a port is free: the first rule that matches takes the packets. */
function reportClaims(pods: readonly Pod[], report: Report): void {
  const claims = new Map<string, Pod>()
  for (const pod of pods) {
    for (const { protocol, hostPort, hostAddress, span } of pod.mappings) {
      const key = `${protocol} ${hostPort}`
      const others = [`${key} ${String(hostAddress ?? '*')}`, ...(hostAddress === undefined ? [...claims.keys()].filter(one => one.startsWith(`${key} `)) : [`${key} *`])]
      const first = others.flatMap(one => claims.get(one) ?? [])[0]
      if (first) report('port-claimed-twice', 'warning', span, `port ${hostPort}/${protocol} of pod \`${pod.name}\` is that of pod \`${first.name}\` too, whose rule comes first`, { help: 'portmap does not look whether a port is free: give one of them another port' })
      else claims.set(others[0] ?? key, pod)
    }
  }
}

function reportUnpublished({ name, joined, mappings }: Pod, report: Report): void {
  const [mapping] = mappings
  const plugin = joined.plugins.find(({ kind }) => kind === 'portmap')
  if (!mapping || (plugin?.kind === 'portmap' && plugin.takesMappings)) return
  report('port-not-published', 'warning', mapping.span, `the ports of pod \`${name}\` are not published: ${plugin ? '`portmap` does not say that it takes port mappings' : `network \`${joined.name}\` has no \`portmap\``}`, {
    help: plugin ? 'write `"capabilities": {"portMappings": true}` into the plugin' : 'add `{"type": "portmap", "capabilities": {"portMappings": true}}` to its plugins',
  })
}
