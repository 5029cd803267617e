/** Whether an address is this host's own, as far as a topology or the rules tell. */

import type { Hook } from '../ir/hooks.ts'
import { eachRule } from '../ir/ruleset.ts'
import type { Rule } from '../ir/ruleset.ts'
import { addressWidth, familyOf, lengthOfMask } from '../net/address.ts'
import type { Address, Prefix } from '../net/address.ts'
import type { LintInputs } from './lint-rule.ts'
import { natOf, optionOf } from './rule-facts.ts'

/** True of addresses of this host, false of those of others, undefined where nothing tells. */
export type IsOwnAddress = (address: Address) => boolean | undefined

/** Returns what tells of addresses: the topology where there is one, else single addresses that rules name where only a host's own can stand, or only those of others. */
export function ownAddresses(inputs: LintInputs): IsOwnAddress {
  const described = new Set((inputs.topology?.namespaces ?? []).flatMap(({ devices }) => devices.flatMap(({ addresses }) => addresses.map(({ address }) => address))))
  if (described.size > 0) return address => described.has(address)
  const { own, others } = namedAddresses(inputs)
  return address => {
    if (isLoopback(address) || own.has(address)) return true
    return others.has(address) || inputs.world.hintsAt(address).some(({ prefix }) => isHost(prefix)) ? false : undefined
  }
}

/** Packets to this host come to INPUT, its own are in OUTPUT, FORWARD has those to others; SNAT takes an address to which answers come here. */
function namedAddresses({ ruleset, family, chains }: LintInputs): { readonly own: ReadonlySet<Address>; readonly others: ReadonlySet<Address> } {
  const own = new Set<Address>()
  const others = new Set<Address>()
  eachRule(ruleset, (rule, _number, chain) => {
    const hooks = chains.hooksOf(chain)
    const isOnlyAt = (hook: Hook): boolean => hooks.length > 0 && hooks.every(one => one === hook)
    if (isOnlyAt('INPUT')) for (const address of hostIn(rule, 'destination')) own.add(address)
    if (isOnlyAt('OUTPUT')) for (const address of hostIn(rule, 'source')) own.add(address)
    if (isOnlyAt('FORWARD')) for (const address of hostIn(rule, 'destination')) others.add(address)
    const nat = natOf(rule, family)
    if (nat?.side === 'source' && nat.addresses.kind === 'ranges') for (const { low, high } of nat.addresses.ranges) if (low === high) own.add(low)
  })
  return { own, others }
}

function hostIn(rule: Rule, option: 'source' | 'destination'): readonly Address[] {
  const given = optionOf(rule, 'ip', option)
  const prefix = given && !given.inverted ? (given.value as Prefix) : undefined
  return prefix && isHost(prefix) ? [prefix.address] : []
}

function isHost({ address, mask }: Prefix): boolean {
  return lengthOfMask(mask) === addressWidth(familyOf(address))
}

function isLoopback(address: Address): boolean {
  return typeof address === 'number' ? address >>> 24 === 127 : address === 1n
}
