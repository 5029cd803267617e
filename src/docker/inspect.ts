/** What `docker network inspect` and `docker inspect` print -> a plan: the addresses and host ports are those that the engine gave. */

import { reportInto } from '../diagnostics/diagnostic.ts'
import type { Diagnostic, Report } from '../diagnostics/diagnostic.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import { readAddress } from '../net/address.ts'
import { readAddressWithLength } from '../net/prefix-math.ts'
import { entriesOf, isEmpty, isMapping, itemsOf, openYaml, rootOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'
import type { DaemonOptions } from './daemon-options.ts'
import { DEFAULT_NETWORK } from './default-network.ts'
import type { Engine } from './engine.ts'
import { readContainer } from './inspect-container.ts'
import { at, flagAt, textAt } from './inspect-values.ts'
import { LABEL } from './network-options.ts'
import type { ContainerPlan, DriverOption, HostPlan, NetworkPlan, PoolPlan } from './plan.ts'

/** The plan, and everything there is to say about the texts. */
export interface InspectReading {
  readonly value: HostPlan
  readonly diagnostics: readonly Diagnostic[]
}

/** Tells whether a text is what an inspection prints: a list in JSON. */
export function looksLikeInspection(source: SourceFile): boolean {
  return /^\s*\[\s*(\{|\])/.test(source.text)
}

/** Reads the lists of several inspections; networks and containers may stand in one. Those that came first were made first. */
export function readInspections(sources: readonly SourceFile[], engine: Engine, options: DaemonOptions): InspectReading {
  const diagnostics: Diagnostic[] = []
  const report = reportInto(diagnostics)
  const [first = { path: 'inspection', text: '' }] = sources
  const items = sources.flatMap(source => {
    const yaml = openYaml(source)
    diagnostics.push(...yaml.diagnostics)
    return yaml.document.errors.length > 0 ? [] : itemsOf(rootOf(yaml)).filter(isMapping)
  })
  const inspected = items.filter(item => at(item, 'IPAM')).flatMap(item => readNetwork(item, report)).sort(byTime)
  const containers = items.filter(item => at(item, 'HostConfig')).map(item => ({ item, time: textAt(item, 'State', 'StartedAt') ?? '' })).sort(byTime)
  const stranger = items.find(item => !at(item, 'IPAM') && !at(item, 'HostConfig'))
  if (stranger) report('bad-value', 'error', stranger.span, 'this is neither a network nor a container', { help: '`docker network inspect` and `docker inspect CONTAINER` print what is read here' })
  const main = inspected.find(({ plan }) => plan.name === DEFAULT_NETWORK)
  const networks = inspected.filter(({ plan }) => plan.name !== DEFAULT_NETWORK).map(({ plan }) => plan)
  const keys = new Set([DEFAULT_NETWORK, ...networks.map(({ key }) => key)])
  const names = new Map(containers.map(({ item }) => [textAt(item, 'Id') ?? '', (textAt(item, 'Name') ?? '').replace(/^\//, '')]))
  const plans = containers.map(({ item }) => withGuestNames(readContainer(item, report), names))
  const span: Span = { source: first, start: 0, end: Math.min(1, first.text.length) }
  return {
    diagnostics,
    value: { project: 'inspected', engine, options: main ? withDefaultNetwork(options, main.plan) : options, networks, containers: plans.map(plan => withKnownNetworks(plan, keys, report)), span },
  }
}

interface InspectedNetwork {
  readonly plan: NetworkPlan
  readonly time: string
}

function readNetwork(item: YamlValue, report: Report): readonly InspectedNetwork[] {
  const name = textAt(item, 'Name') ?? ''
  const driver = textAt(item, 'Driver') ?? 'bridge'
  if (driver !== 'bridge') {
    if (driver !== 'host' && driver !== 'null') report('not-modelled', 'warning', item.span, `driver \`${driver}\` of network \`${name}\` is not modelled: containers have no device there`)
    return []
  }
  const id = textAt(item, 'Id')
  const config = at(item, 'IPAM', 'Config')
  return [{
    time: textAt(item, 'Created') ?? '',
    plan: {
      key: name, name, span: item.span, ...(id === undefined ? {} : { id }), isInternal: flagAt(item, 'Internal') ?? false, ipv4: flagAt(item, 'EnableIPv4') ?? true, ipv6: flagAt(item, 'EnableIPv6') ?? false,
      options: readOptions(at(item, 'Options')), pools: config && !isEmpty(config) ? itemsOf(config).flatMap(pool => readPool(pool, report)) : [],
    },
  }]
}

function readOptions(options: YamlValue | undefined): readonly DriverOption[] {
  if (!options || isEmpty(options)) return []
  return entriesOf(options, '`Options`').flatMap(({ key, value }) => {
    const text = textOf(value, `\`${key}\``)
    return text === undefined ? [] : [{ name: key, value: text, span: value.span }]
  })
}

function readPool(pool: YamlValue, report: Report): readonly PoolPlan[] {
  const subnetText = textAt(pool, 'Subnet')
  const [subnet, range] = [subnetText, textAt(pool, 'IPRange')].map(text => (text === undefined || text === '' ? undefined : readAddressWithLength(text)))
  const gatewayText = textAt(pool, 'Gateway')
  const gateway = gatewayText === undefined ? undefined : readAddress(gatewayText.split('/')[0] ?? '')
  const { span } = pool
  if (!subnet) {
    report('bad-value', 'error', span, `\`${subnetText ?? ''}\` is not a subnet`)
    return []
  }
  const reserved = at(pool, 'AuxiliaryAddresses')
  const addresses = reserved && !isEmpty(reserved) ? entriesOf(reserved, '`AuxiliaryAddresses`').flatMap(({ value }) => readAddress(textOf(value, 'an address') ?? '') ?? []) : []
  return [{ subnet: { value: subnet, span }, ...(gateway === undefined ? {} : { gateway: { value: gateway, span } }), ...(range ? { range: { value: range, span } } : {}), reserved: addresses.map(value => ({ value, span })), span }]
}

/** What the default network has are options of the daemon. */
function withDefaultNetwork(options: DaemonOptions, { options: labels, pools, ipv6 }: NetworkPlan): DaemonOptions {
  const label = (name: string): string | undefined => labels.find(option => option.name === name)?.value
  const binding = readAddress(label(LABEL.binding) ?? '')
  const subnets = pools.flatMap(({ subnet, gateway }) => (subnet ? [{ length: subnet.value.length, address: gateway?.value ?? subnet.value.address }] : []))
  const [bip, fixedCidr6] = [subnets.find(({ address }) => typeof address === 'number'), subnets.find(({ address }) => typeof address === 'bigint')]
  return {
    ...options, icc: label(LABEL.icc) !== 'false', ipMasq: label(LABEL.masquerade) !== 'false', ipv6, mtu: Number(label(LABEL.mtu) ?? 1500) || 1500,
    ...(binding === undefined ? {} : { ip: binding }), ...(bip ? { bip } : {}), ...(fixedCidr6 ? { fixedCidr6 } : {}),
  }
}

function withKnownNetworks(plan: ContainerPlan, keys: ReadonlySet<string>, report: Report): ContainerPlan {
  for (const { network } of plan.joins) {
    if (!keys.has(network)) report('unknown-network', 'error', plan.span, `container \`${plan.name}\` is on network \`${network}\`, which is not described`, { help: `add what \`docker network inspect ${network}\` prints` })
  }
  return { ...plan, joins: plan.joins.filter(({ network }) => keys.has(network)) }
}

/** The engine names the other container by its id. */
function withGuestNames(plan: ContainerPlan, names: ReadonlyMap<string, string>): ContainerPlan {
  const name = plan.guestOf === undefined ? undefined : names.get(plan.guestOf)
  return name === undefined ? plan : { ...plan, guestOf: name }
}

function byTime(one: { readonly time: string }, other: { readonly time: string }): number {
  return one.time < other.time ? -1 : one.time > other.time ? 1 : 0
}
