/** A list of pods (YAML or JSON), or the `x-containers` of a configuration list -> pods as they are asked for. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing } from '../draft/required.ts'
import { addressOf, listOf, portOf, protocolOf } from '../draft/values.ts'
import { addressWidth, familyOf, readAddress } from '../net/address.ts'
import { readAddressWithLength } from '../net/prefix-math.ts'
import type { AddressWithLength } from '../net/prefix-math.ts'
import { complain, entriesOf, entryNamed, isList, itemsOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { MAPPING_KEYS, POD_KEYS } from './conflist-keys.ts'
import type { PodPlan, PortMapping } from './model.ts'

/**
 * Returns the pods in the order given. A list has a mapping for each; a mapping has the container's id as key, and as value either the same
 * mapping or just the list of its port mappings.
 */
export function readPods(root: YamlValue, notes: FieldNotes): readonly PodPlan[] {
  const inner = entryNamed(root, 'pods')
  const value = inner ? inner.value : root
  const pods = isList(value) ? itemsOf(value).map(item => readPod(item, undefined, notes)) : entriesOf(value, 'the pods').map(entry => readPod(entry.value, entry, notes))
  const seen = new Set<string>()
  for (const { containerId, network, span } of pods) {
    const key = `${network ?? ''} ${containerId}`
    if (seen.has(key)) complain(root.reader, 'duplicate-name', span, `there are two pods with the id \`${containerId}\``)
    seen.add(key)
  }
  return pods
}

function readPod(value: YamlValue, entry: YamlEntry | undefined, notes: FieldNotes): PodPlan {
  const span = entry?.keySpan ?? value.span
  if (entry && (isList(value) || value.node === null)) return { name: entry.key, containerId: entry.key, network: undefined, addresses: [], mappings: readMappings(value, notes), span }
  const field = fieldsOf(value, 'a pod', POD_KEYS, notes)
  const text = (key: string): string | undefined => {
    const found = field(key)
    return found && textOf(found.value, `\`${key}\` of a pod`)
  }
  const name = text('name') ?? entry?.key
  const containerId = text('containerId') ?? text('id') ?? entry?.key ?? name
  if (containerId === undefined) reportMissing(value, 'a pod', 'name')
  const addresses = field('addresses') ?? field('ips')
  const mappings = field('portMappings') ?? field('ports')
  return {
    name: name ?? containerId ?? '',
    containerId: containerId ?? '',
    network: text('network'),
    addresses: addresses ? itemsOf(addresses.value).flatMap(readPodAddress) : [],
    mappings: mappings ? readMappings(mappings.value, notes) : [],
    span: field('name')?.value.span ?? field('id')?.value.span ?? span,
  }
}

/** Without a length the address is one of a range of the network, whose length it gets then. */
function readPodAddress(value: YamlValue): readonly AddressWithLength[] {
  const text = textOf(value, 'an address of a pod')
  if (text === undefined) return []
  const alone = readAddress(text)
  const address = alone === undefined ? readAddressWithLength(text) : { address: alone, length: addressWidth(familyOf(alone)) }
  if (!address) complain(value.reader, 'bad-value', value.span, `\`${text}\` is not an address`, 'write it as 10.22.0.2 or 10.22.0.2/16')
  return address ? [address] : []
}

function readMappings(value: YamlValue, notes: FieldNotes): readonly PortMapping[] {
  return listOf(value, 'the port mappings').flatMap(item => readMapping(item, notes))
}

function readMapping(value: YamlValue, notes: FieldNotes): readonly PortMapping[] {
  const field = fieldsOf(value, 'a port mapping', MAPPING_KEYS, notes)
  const [host, container, protocolEntry, address] = [field('hostPort'), field('containerPort'), field('protocol'), field('hostIP')]
  if (!host) reportMissing(value, 'a port mapping', 'hostPort')
  if (!container) reportMissing(value, 'a port mapping', 'containerPort')
  const hostPort = host && portOf(host.value, '`hostPort`')
  const containerPort = container && portOf(container.value, '`containerPort`')
  const protocol = protocolEntry ? protocolOf(protocolEntry.value, '`protocol`') : 'tcp'
  if (hostPort === undefined || containerPort === undefined || protocol === undefined) return []
  const isEmpty = address !== undefined && textOf(address.value, '`hostIP`') === ''
  return [{ hostPort, containerPort, protocol, hostAddress: address && !isEmpty ? addressOf(address.value, '`hostIP`') : undefined, span: value.span }]
}
