/** The names of a policy: zones and lists, looked up once each. */

import { didYouMean } from '../extensions/did-you-mean.ts'
import type { Prefix } from '../net/address.ts'
import { DEVICE_NAME_LIMIT, readDevicePattern } from '../net/device-name.ts'
import type { ItemNode, LetNode, ServiceNode, Word, ZoneNode } from './ast.ts'
import type { Complain } from './complain.ts'
import { readAddresses, splitFamilies, withoutCovered } from './read-addresses.ts'
import type { Ends, Prefixes, Traffic, Zone } from './resolved.ts'

/** A list: of addresses, of services, or broken. */
export type List = { readonly kind: 'addresses'; readonly prefixes: readonly Prefix[]; readonly byFamily: Prefixes } | { readonly kind: 'services'; readonly services: readonly ServiceNode[] } | { readonly kind: 'broken' }

/** What names mean; `undefined` where there is no such name. */
export interface Names {
  readonly zones: ReadonlyMap<string, Zone>
  list(name: string): List | undefined
  /** Ends and services as they were written that are looked up already, where names alone say them. */
  readonly known: { readonly ends: Map<string, Ends>; readonly traffic: Map<string, readonly Traffic[]> }
  /** Where a name is defined. */
  readonly definitions: ReadonlyMap<string, Word>
}

/** Returns the names of all sentences that define some. */
export function collectNames(lets: readonly LetNode[], zoneNodes: readonly ZoneNode[], complain: Complain): Names {
  const definitions = new Map<string, Word>()
  for (const { name } of [...lets, ...zoneNodes]) {
    const earlier = definitions.get(name.text)
    if (earlier) complain('duplicate-name', name.span, `\`${name.text}\` is defined twice`, 'give one of them another name', { related: [{ span: earlier.span, message: 'it is defined here first' }] })
    else definitions.set(name.text, name)
  }
  const list = makeLists(lets, complain)
  for (const one of lets) list(one.name.text)
  const zones = new Map<string, Zone>()
  for (const node of zoneNodes) {
    const zone = makeZone(node, list, complain)
    if (zone && !zones.has(zone.name)) zones.set(zone.name, zone)
  }
  checkDevices(zoneNodes, complain)
  return { zones, list, definitions, known: { ends: new Map(), traffic: new Map() } }
}

/** Returns a name that is missing as an error, with the nearest that exists. */
export function complainUnknown(word: Word, what: string, candidates: readonly string[], complain: Complain, otherwise?: string): void {
  complain('unknown-name', word.span, `there is no ${what} \`${word.text}\``, didYouMean(word.text, candidates) ?? otherwise)
}

function makeLists(lets: readonly LetNode[], complain: Complain): (name: string) => List | undefined {
  const nodes = new Map<string, LetNode>()
  for (const node of lets) if (!nodes.has(node.name.text)) nodes.set(node.name.text, node)
  const known = new Map<string, List>()
  const open = new Set<string>()
  const look = (name: string): List | undefined => {
    const node = nodes.get(name)
    const done = known.get(name)
    if (!node || done) return done
    if (open.has(name)) {
      complain('list-loop', node.name.span, `the list \`${name}\` contains itself`, 'leave its name out of the lists that it is made of')
      return { kind: 'broken' }
    }
    open.add(name)
    const list = makeList(node.items, look, complain)
    open.delete(name)
    known.set(name, list)
    return list
  }
  return look
}

function makeList(items: readonly ItemNode[], look: (name: string) => List | undefined, complain: Complain): List {
  const prefixes: Prefix[] = []
  const services: ServiceNode[] = []
  let isBroken = false
  for (const item of items) {
    const nested = item.kind === 'service' && !item.low ? look(item.name.text) : undefined
    const own = item.kind === 'address' ? readAddresses(item, complain) : nested?.kind === 'addresses' ? nested.prefixes : undefined
    if (own) prefixes.push(...own)
    else if (item.kind === 'address' || nested?.kind === 'broken') isBroken = true
    else services.push(...(nested?.kind === 'services' ? nested.services : [item]))
    const mixed = prefixes.length > 0 && services.length > 0
    if (mixed && !isBroken) {
      complain('bad-value', item.span, 'the list has addresses and services', item.kind === 'service' ? `there is no list of addresses \`${item.name.text}\`; a list has either addresses or services` : 'a list has either addresses or services')
      isBroken = true
    }
  }
  if (isBroken) return { kind: 'broken' }
  if (services.length > 0) return { kind: 'services', services }
  const apart = withoutCovered(prefixes)
  return { kind: 'addresses', prefixes: apart, byFamily: splitFamilies(apart) }
}

function makeZone({ name, devices, at, owner, span }: ZoneNode, list: (name: string) => List | undefined, complain: Complain): Zone | undefined {
  const isDockers = owner !== undefined
  if (owner && owner.text !== 'docker') complain('unknown-name', owner.span, `there is no owner \`${owner.text}\``, didYouMean(owner.text, ['docker']) ?? 'a zone can be owned by docker')
  const long = devices.find(device => device.text.length > DEVICE_NAME_LIMIT || device.text === '')
  if (long) complain('unknown-device', long.span, `a device cannot be called \`${long.text}\``, `its name has 1 to ${DEVICE_NAME_LIMIT} characters`)
  const prefixes = at.length === 0 ? undefined : readZoneAddresses(at, list, complain)
  return {
    kind: 'zone', name: name.text, devices: devices.map(device => readDevicePattern(device.text)), isDockers, span,
    ...(prefixes ? { at: splitFamilies(prefixes) } : {}),
  }
}

function readZoneAddresses(items: readonly ItemNode[], list: (name: string) => List | undefined, complain: Complain): readonly Prefix[] {
  return withoutCovered(items.flatMap(item => readItem(item, list, complain) ?? []))
}

/** Returns the addresses of an element that must be one or the name of a list of some; undefined where it is not. */
export function readItem(item: ItemNode, list: (name: string) => List | undefined, complain: Complain): readonly Prefix[] | undefined {
  if (item.kind === 'address') return readAddresses(item, complain)
  const found = item.low ? undefined : list(item.name.text)
  if (found?.kind === 'addresses') return found.prefixes
  if (found?.kind !== 'broken') complain('unknown-name', item.span, `\`${item.name.text}\` is not a list of addresses`, 'write an address, or define the list: `let NAME = ADDRESS, ...`')
  return undefined
}

function checkDevices(zones: readonly ZoneNode[], complain: Complain): void {
  const seen = new Map<string, Word>()
  for (const zone of zones) for (const device of zone.devices) {
    const earlier = seen.get(device.text)
    // Two zones may share a device where their addresses tell them apart.
    const isApart = earlier !== undefined && zone.at.length > 0
    if (earlier && !isApart) complain('duplicate-name', device.span, `device \`${device.text}\` is in two zones`, 'say `at` which addresses, so that it is clear where a packet belongs', { related: [{ span: earlier.span, message: 'it is here too' }] })
    else seen.set(device.text, device)
  }
}
