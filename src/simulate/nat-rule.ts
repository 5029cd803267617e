/** What a DNAT, SNAT, MASQUERADE, REDIRECT or NETMAP rule does. Source: net/netfilter/xt_nat.c, nf_nat_masquerade.c, nf_nat_redirect.c, xt_NETMAP.c. */

import type { Hook } from '../ir/hooks.ts'
import type { Effect } from '../meaning/effect.ts'
import { addressWidth, familyOf, maskAddress, maskOfLength } from '../net/address.ts'
import type { Address, Prefix } from '../net/address.ts'
import type { AddressRange } from '../net/ranges.ts'
import { selectAddress } from '../topology/fib.ts'
import { addressList6, addressScope6 } from '../topology/source-address6.ts'
import type { Flight } from './flight.ts'
import { isNatDone, setUpBinding } from './nat.ts'
import type { NatRange } from './nat-range.ts'
import type { RulePlace } from './trace-events.ts'
import type { EffectVerdict } from './verdict.ts'

type NatEffect = Extract<Effect, { kind: 'nat' }>

const LOOPBACK = { ipv4: 0x7f000001, ipv6: 1n } as const

/** Gives the packet's connection the rule's translation. The kernel drops where there is no address to take. */
export function setUpNat(flight: Flight, place: RulePlace, effect: NatEffect): EffectVerdict {
  const { tracked } = flight
  const side = effect.side === 'ofHook' ? sideOf(place.hook) : effect.side
  if (!tracked || isNatDone(tracked, side)) return { kind: 'accept' }
  const addresses = addressesFor(flight, place, effect)
  if (addresses === 'none') return { kind: 'drop', by: { kind: 'kernel', reason: 'nat-failed', hook: place.hook } }
  const range: NatRange = {
    ...(addresses ? { addresses } : {}),
    ...(effect.ports ? { ports: effect.ports } : {}),
    random: effect.random ?? false,
    persistent: effect.persistent ?? false,
  }
  if (effect.addresses.kind === 'outDevice') tracked.masqueradeDevice = flight.outDevice
  const binding = setUpBinding(flight, tracked, side, range)
  if (binding) flight.record?.({ kind: 'nat', hook: place.hook, by: place, binding })
  return { kind: 'accept' }
}

function addressesFor(flight: Flight, place: RulePlace, effect: NatEffect): AddressRange | undefined | 'none' {
  const { addresses } = effect
  switch (addresses.kind) {
    case 'keep':
      return undefined
    case 'ranges':
      return addresses.ranges[0]
    case 'prefix':
      return only(withPrefix(sideOf(place.hook) === 'source' ? flight.packet.src : flight.packet.dst, addresses.prefix))
    case 'outDevice':
      return only(masqueradeAddress(flight))
    default:
      return only(place.hook === 'OUTPUT' ? LOOPBACK[flight.packet.family] : redirectAddress(flight))
  }
}

function sideOf(hook: Hook): 'source' | 'destination' {
  return hook === 'PREROUTING' || hook === 'OUTPUT' ? 'destination' : 'source'
}

/** The host bits stay as they are. */
function withPrefix(address: Address, { address: network, mask }: Prefix): Address {
  const family = familyOf(address)
  const all = maskOfLength(family, addressWidth(family))
  const hostMask = typeof all === 'number' ? (all ^ Number(mask)) >>> 0 : all ^ BigInt(mask)
  const host = maskAddress(address, hostMask)
  return typeof host === 'number' ? (host | Number(network)) >>> 0 : host | BigInt(network)
}

/** The address that the device has towards the next hop (IPv6: towards the destination). Source: nf_nat_masquerade_ipv4(), nf_nat_masquerade_ipv6(). */
function masqueradeAddress(flight: Flight): Address | undefined {
  const device = flight.host.devices.get(flight.outDevice)
  const { family, dst } = flight.packet
  return selectAddress(flight.host.namespace, device, family, family === 'ipv4' ? (flight.route?.gateway ?? dst) : dst)
}

/**
 * The first address of the device. Kernel: in IPv6 that is the one added last, of the scope that the packet was sent to; where
 * there is none the packet is dropped. Source: nf_nat_redirect_ipv4(), nf_nat_redirect_ipv6().
 */
function redirectAddress(flight: Flight): Address | undefined {
  const device = flight.host.devices.get(flight.inDevice)
  const { dst } = flight.packet
  if (typeof dst === 'number') return device?.addresses.find(one => typeof one.address === 'number')?.address
  const scope = addressScope6(dst)
  return device && addressList6(device).find(address => scope === 0 || (addressScope6(address) & scope) !== 0)
}

function only(address: Address | undefined): AddressRange | 'none' {
  return address === undefined ? 'none' : { low: address, high: address }
}
