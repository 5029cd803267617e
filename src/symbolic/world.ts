/** Several hosts in one collection of packet sets: what is told of each, and how frames find their way between them. */

import type { Backend } from '../ir/hooks.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { Address, Family, Prefix } from '../net/address.ts'
import { addressWidth, familyOf, maskOfLength } from '../net/address.ts'
import { makePacketSets } from '../packetset/packet-sets.ts'
import type { PacketSets } from '../packetset/packet-sets.ts'
import { makeFib } from '../topology/fib.ts'
import { sysctlNumber } from '../topology/topology.ts'
import type { Device, Namespace, Topology } from '../topology/topology.ts'
import { describedSurroundings } from './described.ts'
import { deviceUniverse } from './device-universe.ts'
import type { FindFrameWays } from './frame-ways.ts'
import { addressPieces } from './next-hop.ts'
import type { AddressPiece } from './next-hop.ts'
import { prepareRuleset } from './prepare-rules.ts'
import type { FreeVariable, PreparedRuleset } from './prepare-rules.ts'
import { FIRST_FIELDS } from './reachable-sets.ts'
import { makeRewritings } from './rewriting.ts'
import type { Rewritings } from './rewriting.ts'
import type { Surroundings } from './surroundings.ts'

/** A namespace and what it has loaded. */
export interface WorldHost {
  readonly namespace: Namespace
  readonly devices: ReadonlyMap<string, Device>
  readonly surroundings: Surroundings
  readonly prepared: PreparedRuleset
  /** Its own addresses of the world's family. */
  readonly own: readonly Address[]
  /** bridge-nf-call-iptables (or -ip6tables): frames on bridges meet the rules. */
  readonly bridgesAsk: boolean
}

/** Hosts that are joined. */
export interface SymbolicWorld {
  readonly family: Family
  readonly sets: PacketSets
  readonly rewritings: Rewritings
  readonly backend: Backend
  readonly hosts: ReadonlyMap<string, WorldHost>
  /** The address space, cut where answers about next hops may change. */
  readonly pieces: readonly AddressPiece[]
  readonly find: FindFrameWays
  /** Rules or sysctls may stop the questions about neighbours: then answers hang on what was asked before. */
  readonly remembers: boolean
  /** The free variables of all rulesets. */
  readonly variables: ReadonlyMap<string, FreeVariable>
}

/** What a world is made of. A namespace without rules of the family filters nothing. */
export interface WorldOptions {
  readonly family: Family
  readonly topology: Topology
  readonly rulesetsOf: ReadonlyMap<string, readonly Ruleset[]>
  readonly find: FindFrameWays
  readonly backend?: Backend
  readonly nodeLimit?: number
}

/** Returns the world of a topology. */
export function makeSymbolicWorld({ family, topology, rulesetsOf, find, backend = 'legacy', nodeLimit }: WorldOptions): SymbolicWorld {
  const rulesetOf = ({ name }: Namespace): Ruleset => rulesetsOf.get(name)?.find(ruleset => ruleset.family === family) ?? noRules(family)
  const rulesets = topology.namespaces.map(rulesetOf)
  const universes = topology.namespaces.map((namespace, index) => deviceUniverse(rulesets.slice(index, index + 1), namespace, backend))
  const union = (lists: readonly (readonly string[])[]): readonly string[] => [...new Set(lists.flat())]
  const devices = { names: union(universes.map(({ names }) => names)), prefixes: union(universes.map(({ prefixes }) => prefixes)), isClosed: false }
  const sets = makePacketSets(family, { devices, firstFields: FIRST_FIELDS[family], ...(nodeLimit === undefined ? {} : { nodeLimit }) })
  const hosts = new Map(topology.namespaces.map((namespace, index): [string, WorldHost] => [namespace.name, makeHost(namespace, family, prepareRuleset(rulesets[index] ?? noRules(family), backend, `${namespace.name}: `))]))
  return { family, sets, rewritings: makeRewritings(family), backend, hosts, pieces: addressPieces(family, bordersOf(topology, family)), find, remembers: mayStopQuestions(topology, family, rulesets), variables: new Map([...hosts.values()].flatMap(({ prepared }) => [...prepared.variables])) }
}

function mayStopQuestions({ namespaces }: Topology, family: Family, rulesets: readonly Ruleset[]): boolean {
  if (family === 'ipv6') return rulesets.some(({ tables }) => tables.length > 0)
  return namespaces.some(({ sysctls }) => Object.keys(sysctls).some(name => name.includes('arp')))
}

function noRules(family: Family): Ruleset {
  return { family, tables: [], chainCount: 0, ruleCount: 0, partial: false }
}

function makeHost(namespace: Namespace, family: Family, prepared: PreparedRuleset): WorldHost {
  const bridgesAsk = sysctlNumber(namespace, `net.bridge.bridge-nf-call-${family === 'ipv4' ? 'iptables' : 'ip6tables'}`, 1) !== 0
  return {
    namespace, prepared, bridgesAsk,
    devices: new Map(namespace.devices.map(device => [device.name, device])),
    surroundings: describedSurroundings(namespace, family, 'linked'),
    own: namespace.devices.flatMap(({ addresses }) => addresses.map(({ address }) => address)).filter(address => familyOf(address) === family),
  }
}

/** The prefixes of routes and neighbours, and the blocks of groups. */
function bordersOf({ namespaces }: Topology, family: Family): readonly Prefix[] {
  const single = (address: Address): Prefix => ({ address, mask: maskOfLength(familyOf(address), addressWidth(familyOf(address))) })
  const borders = namespaces.flatMap(namespace => [
    ...[...makeFib(namespace).tables.values()].flatMap(routes => routes.map(({ prefix }) => prefix)),
    ...namespace.neighbours.map(({ address }) => single(address)),
  ])
  const groups: readonly Prefix[] = family === 'ipv4' ? [{ address: 0xe0000000, mask: 0xf0000000 }, single(0xffffffff)] : [{ address: 0xffn << 120n, mask: 0xffn << 120n }]
  const known = new Map([...borders, ...groups].map(prefix => [`${prefix.address}/${prefix.mask}`, prefix]))
  return [...known.values()].filter(({ address }) => familyOf(address) === family)
}
