/** publish, masquerade, snat and redirect -> sentences with all names looked up. */

import { assertNever } from '../diagnostics/diagnostic.ts'
import type { Span } from '../diagnostics/source-file.ts'
import { familyOf, prefixIncludes, readAddress, writeAddress } from '../net/address.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import type { MasqueradeNode, PublishNode, RedirectNode, SnatNode, TargetNode } from './ast.ts'
import type { Complain } from './complain.ts'
import { complainUnknown, readItem } from './names.ts'
import type { Names } from './names.ts'
import { readPortNode } from './read-services.ts'
import { resolveEnds, resolveWay } from './resolve-ends.ts'
import { resolveServices } from './resolve-rules.ts'
import type { End, Ends, Origin, Sentence, Traffic, Zone } from './resolved.ts'

const BOTH: readonly Family[] = ['ipv4', 'ipv6']

/** A sentence about address translation. */
export type NatNode = PublishNode | MasqueradeNode | SnatNode | RedirectNode

/** Returns the sentence, undefined where something in it is wrong. */
export function resolveNat(node: NatNode, names: Names, origin: Origin, complain: Complain): Sentence | undefined {
  switch (node.kind) {
    case 'publish':
      return resolvePublish(node, names, origin, complain)
    case 'masquerade':
    case 'snat':
      return resolveSourceNat(node, names, origin, complain)
    case 'redirect':
      return resolveRedirect(node, names, origin, complain)
    default:
      return assertNever(node)
  }
}

/** Returns the address of a target: its own, or the only one that a list has in the family asked for. */
export function resolveTarget(node: TargetNode, names: Names, complain: Complain, family?: Family): { readonly address: Address; readonly port?: number } | undefined {
  const address = targetAddress(node, names, complain, family)
  const port = node.port && readPortNode(node.port, undefined, complain)
  if (address === undefined || (node.port && port === undefined)) return undefined
  return { address, ...(port === undefined ? {} : { port }) }
}

function targetAddress({ address: word }: TargetNode, names: Names, complain: Complain, family: Family | undefined): Address | undefined {
  const own = readAddress(word.text)
  if (own !== undefined) return own
  if (/^[0-9]|:/.test(word.text)) {
    complain('bad-address', word.span, `\`${word.text}\` is not an address`, 'a single address is needed, without a prefix length')
    return undefined
  }
  const list = names.list(word.text)
  if (list?.kind === 'broken') return undefined
  if (list?.kind !== 'addresses') {
    complainUnknown(word, 'address', [...names.definitions.keys()], complain, 'define it: `let NAME = ADDRESS`')
    return undefined
  }
  const fitting = list.prefixes.filter(prefix => family === undefined || familyOf(prefix.address) === family)
  const [only] = fitting
  if (only && fitting.length === 1 && isHost(only)) return only.address
  complain('bad-address', word.span, `\`${word.text}\` is not one address`, 'name a list of one address, or write the address')
  return undefined
}

function isHost({ mask }: Prefix): boolean {
  return typeof mask === 'number' ? mask === 0xffffffff : mask === (1n << 128n) - 1n
}

function resolvePublish(node: PublishNode, names: Names, origin: Origin, complain: Complain): Sentence | undefined {
  const traffic = resolveServices(node.services, names, complain)
  const on = node.on.map(item => readItem(item, names.list, complain))
  const from = resolveWay(node.from, node.span, names, complain)
  if (!traffic || !from || !on.every(one => one !== undefined)) return undefined
  const addresses = on.flat().filter(prefix => node.family === undefined || familyOf(prefix.address) === node.family)
  if (addresses.length === 0 && node.family) {
    complainOfFamily(node, node.on[0]?.span ?? node.span, node.family, complain)
    return undefined
  }
  const families = new Set(addresses.map(prefix => familyOf(prefix.address)))
  const [family] = families
  const target = resolveTarget(node.to, names, complain, families.size === 1 ? family : undefined)
  if (!target || family === undefined) return undefined
  const wrong = addresses.find(prefix => familyOf(prefix.address) !== familyOf(target.address))
  if (wrong) {
    complain('mixed-families', node.to.span, 'the addresses are not of one family', 'destination NAT keeps the family: write a sentence for each, with `ipv4` or `ipv6` at its end where names have both')
    return undefined
  }
  if (!checkPorts(traffic, target.port, node, complain)) return undefined
  noteHairpin(node, target.address, from.included, names, complain)
  return { kind: 'publish', family, traffic, on: addresses, to: target.address, ...(target.port === undefined ? {} : { port: target.port }), from, origin }
}

/** Where no zone says that it has the server, clients beside it cannot be told from others. */
function noteHairpin({ to }: PublishNode, address: Address, from: readonly End[], names: Names, complain: Complain): void {
  const isKnown = [...names.zones.values()].some(({ at }) => at?.[familyOf(address)].some(prefix => prefixIncludes(prefix, address)))
  const vague = from.filter(end => !end.addresses && !zoneOf(end)?.at && end.place !== 'fw').map(end => `\`${zoneOf(end)?.name ?? 'any'}\``)
  if (isKnown || vague.length === 0) return
  const server = writeAddress(address)
  complain('no-hairpin', to.span, `no zone has \`${server}\`: clients from ${vague.join(' or ')} that are in its own network would get no answers`, `say which zone has it: \`zone ... at ${server}\` or its network`, { severity: 'note' })
}

function checkPorts(traffic: readonly Traffic[], port: number | undefined, node: PublishNode | RedirectNode, complain: Complain): boolean {
  const portless = traffic.find(one => !one.ports)
  const published = traffic.find(one => one.published)
  if (published) complain('bad-service', node.services.span, '`published` has no meaning here', 'it is for `allow` and for tests')
  else if (portless && port !== undefined) complain('bad-service', node.services.span, 'only ports can be sent to a port', 'write the protocol with its port, such as tcp/80')
  else if (port !== undefined && traffic.some(one => one.ports?.some(range => range.low !== range.high))) complain('bad-service', node.services.span, 'a range of ports cannot be sent to one port', 'leave the port out: each port is kept then')
  else return true
  return false
}

function resolveSourceNat(node: MasqueradeNode | SnatNode, names: Names, origin: Origin, complain: Complain): Sentence | undefined {
  const from = resolveEnds(node.ends, names, complain)
  const out = names.zones.get(node.out.text)
  const target = node.kind === 'snat' ? resolveTarget(node.to, names, complain, node.family) : undefined
  if (!out) complainUnknown(node.out, 'zone', [...names.zones.keys()], complain)
  if (!from || !out || (node.kind === 'snat' && !target)) return undefined
  if (node.kind === 'snat' && target?.port !== undefined) {
    complain('bad-value', node.to.span, 'source NAT chooses the port itself', 'leave the port out')
    return undefined
  }
  const nameless = [...from.included, ...from.excluded].find(lacksAddresses)
  if (nameless) {
    complain('missing-addresses', nameless.span, `zone \`${zoneOf(nameless)?.name ?? ''}\` says no addresses, and source NAT cannot see where a packet came in`, 'give the zone its addresses: `zone ... at 10.0.0.0/8`')
    return undefined
  }
  if (node.kind === 'snat' && target && node.family && familyOf(target.address) !== node.family) {
    complainOfFamily(node, node.to.span, node.family, complain)
    return undefined
  }
  if (node.kind === 'masquerade' && !node.family && concernsIpv6(from, out)) {
    complain('one-family', node.span, '`masquerade` alone is for IPv4: packets of IPv6 keep their own addresses', 'write `ipv4` at its end if that is meant; another sentence with `ipv6` masquerades these too', { severity: 'note' })
  }
  return { kind: 'sourceNat', families: [target ? familyOf(target.address) : (node.family ?? 'ipv4')], from, out, ...(target ? { to: target.address } : {}), origin }
}

/** A family is named of which a sentence has no address. */
function complainOfFamily(node: NatNode, span: Span, family: Family, complain: Complain): void {
  complain('mixed-families', span, `there is no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address, which \`${node.kind} ... ${family}\` needs`, `name one, or leave \`${family}\` out`)
}

/** Tells whether there may be packets of IPv6 from here to there. */
function concernsIpv6({ included }: Ends, out: Zone): boolean {
  return out.at?.ipv6.length !== 0 && included.some(end => (end.addresses ?? zoneOf(end)?.at)?.ipv6.length !== 0)
}

function lacksAddresses(end: End): boolean {
  const zone = zoneOf(end)
  return zone !== undefined && !end.addresses && !zone.at
}

function zoneOf({ place }: End): Zone | undefined {
  return typeof place === 'string' ? undefined : place
}

function resolveRedirect(node: RedirectNode, names: Names, origin: Origin, complain: Complain): Sentence | undefined {
  const traffic = resolveServices(node.services, names, complain)
  const from = resolveWay(node.from, node.span, names, complain)
  const port = readPortNode(node.port, undefined, complain)
  if (!traffic || !from || port === undefined) return undefined
  const portless = traffic.find(one => !one.ports)
  if (portless) complain('bad-service', node.services.span, 'only ports can be sent to a port', 'write the protocol with its port, such as tcp/80')
  if (portless || !checkPorts(traffic, undefined, node, complain)) return undefined
  return { kind: 'redirect', families: node.family ? [node.family] : BOTH, traffic, from, port, origin }
}
