/** What `5x5 reach` asks about: one ruleset, with or without a host, or a world of several hosts, described or made by a compose file or by container networks. */

import { placesOf, worldReachability } from '../../src/analyze/world-reach.ts'
import { reachability } from '../../src/analyze/reachability.ts'
import type { Reachability } from '../../src/analyze/reachability.ts'
import { readReachQuery } from '../../src/analyze/reach-query.ts'
import type { NamedPlaces, ReachQuery } from '../../src/analyze/reach-query.ts'
import { addressOfHost } from '../../src/topology/assumed-host.ts'
import { HOST_NAME } from '../../src/docker/names.ts'
import { didYouMean } from '../../src/extensions/did-you-mean.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Address, Family } from '../../src/net/address.ts'
import { writeEndpoint } from '../../src/packet/endpoint.ts'
import { readPacket } from '../../src/packet/notation.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'
import { makeLinks } from '../../src/topology/links.ts'
import { readHints } from '../../src/topology/rule-hints.ts'
import type { Ipset, Namespace, Topology } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import type { FlagValues, Terminal } from '../command.ts'
import { helpForName } from '../docker/compose-flags.ts'
import type { ComposeWorld } from '../docker/compose-world.ts'
import { readFamily } from '../input.ts'
import type { WorldInput } from '../trace/world-input.ts'
import { ipsetsOf, sayUnknownIpsets, withIpsets } from './ipset-flags.ts'
import { readOneRuleset, misspeltDevices, sayEmpty, sayNotLoaded, sayRefused } from './rulesets.ts'

/** A command line. */
export interface ReachRequest {
  readonly text: string
  readonly paths: readonly string[]
  readonly values: FlagValues
  readonly backend: Backend
  readonly terminal: Pick<Terminal, 'directory' | 'err' | 'paintErr'>
}

/** An answer with its question. */
export interface AnsweredReach {
  readonly query: ReachQuery
  readonly answer: Reachability
  /** What was guessed of the host. */
  readonly assumptions: readonly string[]
  readonly isPartial: boolean
}

/** Reads what is asked about and answers; what cannot be read is a `commandError`. */
export async function answerReach(request: ReachRequest): Promise<AnsweredReach> {
  const { values, paths, backend, terminal } = request
  const { directory } = terminal
  const ipsets = ipsetsOf(values, directory)
  if (values['compose'] !== undefined || values['engine'] !== undefined || values['daemon'] !== undefined) {
    const compose = await (await import('../docker/compose-input.ts')).readComposeInput({ values, paths, backend, directory })
    if (compose && (values['network'] !== undefined || values['pods'] !== undefined)) throw commandError('`--compose` and `--network` each make a host', 'give one of them')
    if (compose) return answerInWorld(request, withSets(compose.input, ipsets), new Map([...placesOf(compose.input.topology), ...placesOfCompose(compose.world)]))
  }
  if (values['network'] !== undefined || values['pods'] !== undefined) {
    const { input, outside } = await (await import('../network/network-input.ts')).readNetworkInput({ values, paths, backend, directory })
    return answerInWorld(request, withSets(input, ipsets), new Map([...placesOf(input.topology), placeOfHost(outside)]))
  }
  if (values['topology'] !== undefined) {
    const { readWorld } = await import('../trace/world-input.ts')
    const input = await readWorld({ values, paths, requests: [], backend, directory })
    sayNotLoaded(input.warnings, terminal)
    if (!input.partial) sayRefused(input.errors, backend, terminal)
    return makeLinks(input.topology) ? answerInWorld(request, input, placesOf(input.topology)) : answerOnHost(request, input)
  }
  const ruleset = readOneRuleset(paths, { family: readFamily(values['family']), asked: readQuery(request.text, new Map()).family, backend, terminal })
  sayEmpty([ruleset], paths, terminal)
  sayUnknownIpsets([ruleset], ipsets, terminal)
  const query = readQuery(request.text, new Map(), ruleset.family)
  const guessed = values['guess'] === true ? guessedHost(ruleset, query) : undefined
  const assumptions = guessed?.assumptions ?? [...misspeltDevices(query.devices, ruleset), ...strangeGoal(query, ruleset)]
  return { query, answer: reachability({ ruleset, query, backend, ipsets, ...(guessed ? { namespace: withIpsets(guessed.namespace, ipsets) } : {}) }), assumptions, isPartial: ruleset.partial }
}

/** A goal without a digit that no rule names is likely the name of a container. */
function strangeGoal({ goal }: ReachQuery, ruleset: Ruleset): readonly string[] {
  if (goal.kind !== 'device' || !/^[a-z_-]{3,}$/i.test(goal.name) || readHints([ruleset]).devices.includes(goal.name)) return []
  return [`${goal.name} is a device, though no rule names it; services and containers have names where --compose FILE.yaml or --topology FILE.yaml describes them`]
}

/** A topology file takes them where it is read. */
function withSets(input: WorldInput, ipsets: readonly Ipset[]): WorldInput {
  return { ...input, topology: { ...input.topology, namespaces: input.topology.namespaces.map(namespace => withIpsets(namespace, ipsets)) } }
}

/** The host that rules and question suggest, as a trace through them would guess it. */
function guessedHost(ruleset: Ruleset, { arrivals, from, to }: ReachQuery): { readonly namespace: Namespace; readonly assumptions: readonly string[] } {
  const nobody = ruleset.family === 'ipv4' ? 0 : 1n
  const packet = readPacket(`udp ${writeEndpoint({ address: from ?? nobody, port: 40000 })} > ${writeEndpoint({ address: to ?? nobody, port: 9 })}`)
  const probe = packet.ok && packet.value.kind === 'probe' ? packet.value.probe : undefined
  const [inDevice] = arrivals
  const { namespaces: [namespace], assumptions } = assumedTopology([ruleset], probe ? [{ ...probe, ...(inDevice === undefined ? {} : { inDevice }) }] : [])
  if (!namespace) throw commandError('no host can be guessed', '--topology FILE.yaml tells it')
  return { namespace, assumptions }
}

function readQuery(text: string, places: NamedPlaces, family?: Family): ReachQuery {
  const reading = readReachQuery(text, places, family)
  if (!reading.ok) throw commandError(reading.problem.message, didYouMean(reading.problem.word.split(/[:/]/)[0] ?? '', [...places.keys()]) ?? (places.size === 0 ? helpForName(reading.problem.word) : undefined) ?? text)
  return reading.value
}

function answerOnHost({ text, values, backend }: ReachRequest, { topology, rulesetsOf, partial }: WorldInput): AnsweredReach {
  const [namespace] = topology.namespaces
  const rulesets = rulesetsOf.get(namespace?.name ?? '') ?? []
  const family = readFamily(values['family']) ?? readQuery(text, new Map()).family ?? rulesets[0]?.family
  const query = readQuery(text, new Map(), family)
  checkDevices(query, topology)
  const ruleset = rulesets.find(one => one.family === family)
  if (!ruleset || !namespace) throw commandError(rulesets.length === 0 ? 'which rules?' : `there are no ${family === 'ipv6' ? 'IPv6' : 'IPv4'} rules`, 'name them, or the topology tells them with `iptables:` or `ip6tables:`')
  return { query, answer: reachability({ ruleset, query, backend, namespace }), assumptions: topology.assumptions, isPartial: partial }
}

function answerInWorld({ text, values, backend }: ReachRequest, { topology, rulesetsOf, partial }: WorldInput, places: NamedPlaces): AnsweredReach {
  const query = readQuery(text, places)
  checkDevices(query, topology)
  const family = readFamily(values['family']) ?? query.family ?? 'ipv4'
  const answer = worldReachability({ topology, rulesetsOf, query, family, backend })
  return { query, answer, assumptions: topology.assumptions, isPartial: partial }
}

/** A device that is misspelt would be one by which nothing comes. */
function checkDevices({ namespace: from, arrivals, goal }: ReachQuery, { namespaces }: Topology): void {
  const named = [...arrivals.map(device => ({ namespace: from, device })), ...(goal.kind === 'device' ? [{ namespace: goal.namespace ?? from, device: goal.name }] : [])]
  for (const { namespace, device } of named) {
    const place = namespace === undefined ? namespaces[0] : namespaces.find(({ name }) => name === namespace)
    const names = place?.devices.map(({ name }) => name) ?? []
    if (!names.includes(device)) throw commandError(`namespace \`${place?.name ?? namespace}\` has no device \`${device}\``, didYouMean(device, names) ?? `its devices are ${names.map(name => `\`${name}\``).join(', ')}`)
  }
}

/** Services stand for their first container. */
function placesOfCompose({ host, outside, topology }: ComposeWorld): NamedPlaces {
  const containers = placesOf(topology)
  const services = host.sandboxes.toReversed().flatMap(({ service, container }) => {
    const place = containers.get(container)
    return service === undefined || !place ? [] : [[service, place] as const]
  })
  return new Map([...services, placeOfHost(outside)])
}

/** HOST stands for the addresses of the host. */
function placeOfHost(outside: Namespace): readonly [string, { readonly addresses: readonly Address[] }] {
  const addresses = (['ipv4', 'ipv6'] as const).map(family => addressOfHost(outside, family)).filter((address): address is Address => address !== undefined)
  return [HOST_NAME, { addresses }]
}
