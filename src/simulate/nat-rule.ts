/** What a DNAT, SNAT, MASQUERADE or REDIRECT rule does. Source: net/netfilter/xt_nat.c, nf_nat_masquerade.c, nf_nat_redirect.c. */

import type { Effect } from '../meaning/effect.ts'
import type { Address } from '../net/address.ts'
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
  if (!tracked || isNatDone(tracked, effect.side)) return { kind: 'accept' }
  const addresses = addressesFor(flight, place, effect)
  if (addresses === 'none') return { kind: 'drop', by: { kind: 'kernel', reason: 'nat-failed', hook: place.hook } }
  const range: NatRange = {
    ...(addresses ? { addresses } : {}),
    ...(effect.ports ? { ports: effect.ports } : {}),
    random: effect.random ?? false,
    persistent: effect.persistent ?? false,
  }
  if (effect.addresses.kind === 'outDevice') tracked.masqueradeDevice = flight.outDevice
  const binding = setUpBinding(flight, tracked, effect.side, range)
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
    case 'outDevice':
      return only(masqueradeAddress(flight))
    default:
      return only(place.hook === 'OUTPUT' ? LOOPBACK[flight.packet.family] : redirectAddress(flight))
  }
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
