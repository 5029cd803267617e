/** `ipam` of a plugin: the ranges that host-local gives addresses from, or static addresses. Source: containernetworking/plugins plugins/ipam/host-local/backend/allocator/{config,range}.go. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing, requiredText } from '../draft/required.ts'
import { addressOf, listOf, subnetOf } from '../draft/values.ts'
import { addressWidth, familyOf, prefixIncludes, writePrefix } from '../net/address.ts'
import type { Address } from '../net/address.ts'
import { addressAt, overlap, prefixAround, sizeOf } from '../net/prefix-math.ts'
import { complain, isList } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { FIXED_KEYS, IPAM_KEYS, RANGE_KEYS, ROUTE_KEYS } from './conflist-keys.ts'
import type { Ipam, IpamRange, PodRoute } from './model.ts'

/** Pods get no address. */
export const NO_IPAM: Ipam = { rangeSets: [], fixed: [], routes: [] }

type Fields = (key: string) => YamlEntry | undefined

/** Returns where addresses come from. */
export function readIpam(value: YamlValue, notes: FieldNotes): Ipam {
  const field = fieldsOf(value, '`ipam`', IPAM_KEYS, notes)
  const type = requiredText(field('type'), value, '`ipam`', 'type')
  const routes = listOf(field('routes')?.value, '`routes`').flatMap(route => readRoute(route, notes))
  if (type === 'static') return { rangeSets: [], fixed: listOf(field('addresses')?.value, '`addresses`').flatMap(item => readFixed(item, notes)), routes }
  if (type !== undefined && type !== 'host-local') {
    notes.report('not-modelled', 'note', field('type')?.value.span ?? value.span, `the addresses of \`${type}\` are not known here`, { help: 'give every pod its `addresses`' })
    return { ...NO_IPAM, routes }
  }
  const alone = field('subnet') ? [readRange(field, value)] : []
  const sets = [...alone.map(range => [range]), ...listOf(field('ranges')?.value, '`ranges`').map(item => readSet(item, notes))]
  const rangeSets = sets.map(set => set.flatMap(range => range ?? [])).filter(set => set.length > 0)
  if (type === 'host-local' && sets.length === 0) reportMissing(value, '`ipam` of host-local', 'ranges')
  reportOverlaps(rangeSets, value)
  return { rangeSets, fixed: [], routes }
}

function readSet(value: YamlValue, notes: FieldNotes): readonly (IpamRange | undefined)[] {
  if (!isList(value)) complain(value.reader, 'bad-value', value.span, 'a range set must be a list', 'write `[[{"subnet": ...}]]`: a list of range sets, each a list of ranges')
  return listOf(isList(value) ? value : undefined, 'a range set').map(item => readRange(fieldsOf(item, 'a range', RANGE_KEYS, notes), item))
}

/** The first address of a subnet is its gateway; the network address and, in IPv4, the broadcast address are nobody's. */
function readRange(field: Fields, value: YamlValue): IpamRange | undefined {
  const entry = field('subnet')
  if (!entry) reportMissing(value, 'a range', 'subnet')
  const given = entry && subnetOf(entry.value, '`subnet`')
  if (!entry || !given) return undefined
  const subnet = prefixAround(given.address, given.length)
  if (subnet.address !== given.address) complain(value.reader, 'engine-refuses', entry.value.span, `the subnet is ${writePrefix(subnet)}: host-local takes no address of a host`)
  if (given.length > addressWidth(familyOf(given.address)) - 2) {
    complain(value.reader, 'engine-refuses', entry.value.span, `host-local needs a subnet of four addresses at least`)
    return undefined
  }
  const last = sizeOf(subnet) - (familyOf(subnet.address) === 'ipv4' ? 2n : 1n)
  const within = (key: string, otherwise: Address): Address => {
    const asked = field(key)
    const address = asked && addressOf(asked.value, `\`${key}\``)
    if (asked && address !== undefined && !prefixIncludes(subnet, address)) complain(value.reader, 'engine-refuses', asked.value.span, `\`${key}\` is not in ${writePrefix(subnet)}`)
    return address !== undefined && prefixIncludes(subnet, address) ? address : otherwise
  }
  return { subnet, gateway: within('gateway', addressAt(subnet, 1n)), low: within('rangeStart', addressAt(subnet, 1n)), high: within('rangeEnd', addressAt(subnet, last)) }
}

function reportOverlaps(sets: readonly (readonly IpamRange[])[], value: YamlValue): void {
  const ranges = sets.flat()
  const twice = ranges.find((range, index) => ranges.slice(0, index).some(other => overlap(range.subnet, other.subnet) && other.low <= range.high && range.low <= other.high))
  if (twice) complain(value.reader, 'overlapping-subnets', value.span, `two ranges of ${writePrefix(twice.subnet)} have addresses in common`)
  const mixed = sets.find(set => set.some(({ subnet }) => familyOf(subnet.address) !== familyOf(set[0]?.subnet.address ?? subnet.address)))
  if (mixed) complain(value.reader, 'engine-refuses', value.span, 'a range set has ranges of both families', 'give each family a range set of its own')
}

function readFixed(value: YamlValue, notes: FieldNotes): Ipam['fixed'] {
  const field = fieldsOf(value, 'a static address', FIXED_KEYS, notes)
  const [entry, gateway] = [field('address'), field('gateway')]
  if (!entry) reportMissing(value, 'a static address', 'address')
  const address = entry && subnetOf(entry.value, '`address`')
  return address ? [{ address, gateway: gateway && addressOf(gateway.value, '`gateway`') }] : []
}

function readRoute(value: YamlValue, notes: FieldNotes): readonly PodRoute[] {
  const field = fieldsOf(value, 'a route', ROUTE_KEYS, notes)
  const [entry, gateway] = [field('dst'), field('gw')]
  if (!entry) reportMissing(value, 'a route', 'dst')
  const destination = entry && subnetOf(entry.value, '`dst`')
  return destination ? [{ destination: prefixAround(destination.address, destination.length), gateway: gateway && addressOf(gateway.value, '`gw`') }] : []
}
