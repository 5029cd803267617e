/** What nat gives to sets of new connections. The mirror of the simulator's nat.ts and nat-rule.ts; no other connection is there, so no tuple is taken. */

import type { Hook } from '../ir/hooks.ts'
import type { Effect } from '../meaning/effect.ts'
import { ADDRESS_TYPE, CT_STATE, CT_STATUS } from '../meaning/fields.ts'
import type { NumberField } from '../meaning/fields.ts'
import { all, always, any, hasAnyBit, masked, not, within } from '../meaning/predicate.ts'
import type { Predicate } from '../meaning/predicate.ts'
import type { Address, Family } from '../net/address.ts'
import type { PacketSet } from '../packetset/packet-sets.ts'
import type { EffectResult } from './effect-result.ts'
import type { PacketClass } from './packet-class.ts'
import { withoutMapped, withoutTaken } from './nat-clash.ts'
import { hasPorts, portChoices } from './nat-ports.ts'
import type { Choice, Side } from './nat-ports.ts'
import type { Rewriting } from './rewriting.ts'
import type { Run } from './run.ts'
import { constantValue, keyOfValue, maskValue, originalValue, valuesEqual, xorValues } from './value.ts'
import type { Value } from './value.ts'

type NatEffect = Extract<Effect, { kind: 'nat' }>

/** The fields of a side, and the one in which an address lies that is not known: the connection's reply tuple has what nat chose. */
const FIELDS_OF = {
  source: { address: 'ip.src', port: 'l4.sport', anyAddress: 'ct.reply.dst' },
  destination: { address: 'ip.dst', port: 'l4.dport', anyAddress: 'ct.reply.src' },
} as const

/** Returns the side that nat rewrites at a hook. */
export function sideOfHook(hook: Hook): Side {
  return hook === 'POSTROUTING' || hook === 'INPUT' ? 'source' : 'destination'
}

/** Gives new connections the rule's translation and rewrites their packets. */
export function setUpNat(run: Run, hook: Hook, effect: NatEffect, packets: PacketClass): readonly EffectResult[] {
  const side = effect.side === 'ofHook' ? sideOfHook(hook) : effect.side
  if (packets.rewriting.connection === 'none' || packets.rewriting.natDone[side]) return [{ kind: 'accept', packets }]
  const results: EffectResult[] = []
  let { set } = packets
  if (side === 'source' && !effect.random) {
    const kept = run.sets.intersect(set, run.setOf(isInRange(effect), packets.rewriting))
    results.push(...bind(run, side, { rewriting: packets.rewriting, set: kept }, {}))
    set = withoutMapped(run, { rewriting: packets.rewriting, set: run.sets.subtract(set, kept) }).set
  }
  for (const { set: part, address } of addressesFor(run, hook, side, effect, { rewriting: packets.rewriting, set })) {
    const here = { rewriting: packets.rewriting, set: part }
    if (address === 'none') results.push({ kind: 'drop', reason: 'nat-failed', packets: here })
    else results.push(...withPorts(run, side, effect, here, address))
  }
  return results.flatMap(result => (result.kind === 'accept' ? withoutTaken(run, side, effect.ports, result.packets) : [result])).filter(({ packets: { set: left } }) => left !== run.sets.none)
}

/** Source ports and addresses that already fit stay. The mirror of isInRange(). */
function isInRange({ addresses, ports }: NatEffect): Predicate {
  const range = addresses.kind === 'ranges' ? addresses.ranges[0] : undefined
  if (addresses.kind !== 'ranges' && addresses.kind !== 'keep') return not(always)
  const portFits = ports ? any([within('l4.sport', ports.low, ports.high), not(hasPorts)]) : always
  return all([range ? within('ip.src', range.low, range.high) : always, portFits])
}

interface AddressChoice {
  readonly set: PacketSet
  /** undefined: it stays. */
  readonly address: Value | undefined | 'none'
}

function addressesFor(run: Run, hook: Hook, side: Side, { addresses }: NatEffect, packets: PacketClass): readonly AddressChoice[] {
  const { sets, rewritings } = run
  const { address: field, anyAddress } = FIELDS_OF[side]
  const now = rewritings.valueOf(packets.rewriting, field)
  switch (addresses.kind) {
    case 'keep':
      return [{ set: packets.set, address: undefined }]
    case 'ranges': {
      const range = addresses.ranges[0]
      if (!range) return [{ set: packets.set, address: undefined }]
      if (range.low === range.high) return [{ set: packets.set, address: constantValue(now.width, range.low) }]
      return [{ set: sets.intersect(packets.set, sets.setOf(within(anyAddress, range.low, range.high))), address: originalValue(anyAddress, now.width) }]
    }
    case 'prefix': {
      const mask = BigInt(addresses.prefix.mask)
      const host = maskValue(now, ((1n << BigInt(now.width)) - 1n) ^ mask)
      return [{ set: packets.set, address: xorValues(host, constantValue(now.width, addresses.prefix.address)) }]
    }
    case 'outDevice':
      return ownAddresses(run, side, run.surroundings.masqueradeAddresses(packets), packets)
    default:
      if (hook === 'OUTPUT') return [{ set: packets.set, address: constantValue(now.width, run.family === 'ipv4' ? 0x7f000001 : 1n) }]
      return ownAddresses(run, side, run.surroundings.redirectAddresses, packets)
  }
}

/** An own address of which nothing is known is still the host's: what is redirected to it is delivered. */
function ownAddresses(run: Run, side: Side, cases: readonly { readonly when: Predicate; readonly address: Address | 'none' | 'unknown' }[], { rewriting, set }: PacketClass): readonly AddressChoice[] {
  const { sets, rewritings } = run
  const { address: field, anyAddress } = FIELDS_OF[side]
  const { width } = rewritings.valueOf(rewriting, field)
  const choices: AddressChoice[] = []
  let rest = set
  for (const { when, address } of cases) {
    const holds = run.setOf(when, rewriting)
    const here = sets.intersect(rest, holds)
    if (here === sets.none) continue
    const drawn = address === 'unknown' && side === 'destination' ? rewritings.with(rewriting, { values: new Map([[field, originalValue(anyAddress, width)]]) }) : undefined
    const possible = drawn ? sets.intersect(here, run.setOf(isOwnHost(run.family), drawn)) : here
    choices.push({ set: possible, address: address === 'none' ? 'none' : address === 'unknown' ? originalValue(anyAddress, width) : constantValue(width, address) })
    rest = sets.subtract(rest, holds)
  }
  return rest === sets.none ? choices : [...choices, { set: rest, address: 'none' }]
}

/** An address that a device of this host may have. */
function isOwnHost(family: Family): Predicate {
  const nobodys = family === 'ipv4' ? [within('ip.dst', 0, 0x00ffffff), masked('ip.dst', 0xff000000, 0x7f000000), within('ip.dst', 0xe0000000, 0xffffffff)] : [within('ip.dst', 0n, 1n), masked('ip.dst', 0xffn << 120n, 0xffn << 120n)]
  return all([hasAnyBit('addressType.dst', ADDRESS_TYPE.LOCAL), not(any(nobodys))])
}

function withPorts(run: Run, side: Side, effect: NatEffect, { rewriting, set }: PacketClass, address: Value | undefined): readonly EffectResult[] {
  const { sets } = run
  if (!effect.ports && !effect.random) return bind(run, side, { rewriting, set }, { address })
  const ported = run.setOf(hasPorts, rewriting)
  const plain = bind(run, side, { rewriting, set: sets.subtract(set, ported) }, { address })
  const choices = portChoices(run, side, effect, { rewriting, set: sets.intersect(set, ported) })
  return [...plain, ...choices.flatMap(({ packets, port }) => bind(run, side, packets, { address, port }))]
}

/** Notes the translation in the connection and rewrites the packets; where nothing changes the connection is not called translated. */
function bind(run: Run, side: Side, { rewriting, set }: PacketClass, { address, port }: Partial<Pick<Choice, 'port'>> & { readonly address?: Value | undefined }): readonly EffectResult[] {
  const { sets, rewritings } = run
  const fields = FIELDS_OF[side]
  const changes = ([[fields.address, address], [fields.port, port]] as const).flatMap(([field, value]) => {
    const now = rewritings.valueOf(rewriting, field)
    return value === undefined || keyOfValue(now) === keyOfValue(value) ? [] : [{ field, value, isSame: valuesEqual(now, value) }]
  })
  const same = sets.intersect(set, sets.setOf(all(changes.map(({ isSame }) => isSame))))
  const changed = sets.subtract(set, same)
  const done = rewritings.with(rewriting, { natDone: { [side]: true } })
  const translated = translate(run, side, done, new Map(changes.map(({ field, value }) => [field, value])))
  return [
    { kind: 'accept' as const, packets: { rewriting: done, set: same } },
    { kind: 'accept' as const, packets: { rewriting: translated, set: changed } },
  ].filter(({ packets }) => packets.set !== sets.none)
}

function translate(run: Run, side: Side, rewriting: Rewriting, values: Map<NumberField, Value>): Rewriting {
  const { rewritings } = run
  const [state, status] = side === 'source' ? [CT_STATE.SNAT, CT_STATUS.SRC_NAT] : [CT_STATE.DNAT, CT_STATUS.DST_NAT]
  const set = (field: 'ct.state' | 'ct.status', bits: number): void => {
    values.set(field, rewritings.constant(field, rewritings.valueOf(rewriting, field).flip | BigInt(bits)))
  }
  set('ct.state', state)
  set('ct.status', status)
  return rewritings.with(rewriting, { values })
}
