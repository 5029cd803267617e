/** What flanneld writes on a node: masquerading and forwarding for the pods of a cluster. Source: flannel pkg/trafficmngr/iptables/iptables.go. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing } from '../draft/required.ts'
import { commented, header, hideAtRandom, hideBehind, jumpTo, marked, not, verdict } from '../draft/rule-parts.ts'
import type { HeaderTest } from '../draft/rule-parts.ts'
import { append, inFilter, inNat, makeChain } from '../draft/step.ts'
import type { RuleWords, Step } from '../draft/step.ts'
import { subnetOf } from '../draft/values.ts'
import { familyOf, writePrefix } from '../net/address.ts'
import type { Family, Prefix } from '../net/address.ts'
import { prefixAround } from '../net/prefix-math.ts'
import { complain, entryNamed, flagOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { multicastPrefix } from './bridge-rules.ts'

/** The network of a cluster and the part of it that a node has. */
export interface FlannelSide {
  readonly network: Prefix
  readonly lease: Prefix
}

/** A node with flanneld. */
export interface FlannelNode {
  readonly sides: Readonly<Partial<Record<Family, FlannelSide>>>
  readonly masquerades: boolean
  readonly forwards: boolean
  /** Source ports are chosen at random. */
  readonly atRandom: boolean
}

const KEYS = {
  modelled: ['network', 'ipv6Network', 'lease', 'ipMasq', 'iptablesForwardRules', 'ipMasqRandomFullyDisable', 'Network', 'IPv6Network', 'EnableIPv4', 'EnableIPv6'],
  harmless: ['Backend', 'backend', 'SubnetLen', 'SubnetMin', 'SubnetMax', 'IPv6SubnetLen', 'IPv6SubnetMin', 'IPv6SubnetMax'],
  open: { EnableNFTables: 'the rules are written with nftables then' },
} as const

const LEASE_KEYS = { modelled: ['subnet', 'ipv6Subnet'], harmless: ['mtu'], open: {} } as const

/** Tells whether a file describes a node with flanneld. */
export function looksLikeFlannel(root: YamlValue): boolean {
  return entryNamed(root, 'network') !== undefined || entryNamed(root, 'Network') !== undefined
}

/** Reads flanneld's configuration: its networks, and under `lease` what /run/flannel/subnet.env says of the node. */
export function readFlannel(root: YamlValue, notes: FieldNotes): FlannelNode {
  const field = fieldsOf(root, 'the configuration of flannel', KEYS, notes)
  const entry = field('lease')
  if (!entry) reportMissing(root, 'the configuration of flannel', 'lease')
  const lease = entry ? fieldsOf(entry.value, '`lease`', LEASE_KEYS, notes) : () => undefined
  const flag = (key: string, otherwise: boolean): boolean => {
    const found = field(key)
    return (found && flagOf(found.value, `\`${key}\``)) ?? otherwise
  }
  return {
    sides: {
      ...readSide('ipv4', field('network') ?? field('Network'), lease('subnet'), entry),
      ...readSide('ipv6', field('ipv6Network') ?? field('IPv6Network'), lease('ipv6Subnet'), entry),
    },
    masquerades: flag('ipMasq', false),
    forwards: flag('iptablesForwardRules', true),
    atRandom: !flag('ipMasqRandomFullyDisable', false),
  }
}

function readSide(family: Family, network: YamlEntry | undefined, lease: YamlEntry | undefined, leases: YamlEntry | undefined): Partial<Record<Family, FlannelSide>> {
  const key = family === 'ipv4' ? 'subnet' : 'ipv6Subnet'
  if (network && leases && !lease) reportMissing(leases.value, '`lease`', key)
  const [whole, part] = [network && prefixOfEntry(network, family), lease && prefixOfEntry(lease, family)]
  return whole && part ? { [family]: { network: whole, lease: part } } : {}
}

function prefixOfEntry({ key, value }: YamlEntry, family: Family): Prefix | undefined {
  const subnet = subnetOf(value, `\`${key}\``)
  if (subnet && familyOf(subnet.address) !== family) complain(value.reader, 'bad-value', value.span, `\`${key}\` is no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} subnet`)
  return subnet && familyOf(subnet.address) === family ? prefixAround(subnet.address, subnet.length) : undefined
}

const POSTROUTING = inNat('FLANNEL-POSTRTG')
const FORWARD = inFilter('FLANNEL-FWD')
const OWNER = 'flanneld'

/** Returns the steps of flanneld. kube-proxy's mark 0x4000 is let alone: kube-proxy masquerades itself. */
export function flannelSteps(node: FlannelNode, family: Family): readonly Step[] {
  const side = node.sides[family]
  if (!side) return []
  return [...(node.masquerades ? masqueradeSteps(node, side, family) : []), ...(node.forwards ? forwardSteps(side) : [])]
}

function masqueradeSteps({ atRandom }: FlannelNode, { network, lease }: FlannelSide, family: Family): readonly Step[] {
  const comment = commented('flanneld masq')
  const pods = `pods (${writePrefix(network)})`
  const here = `pods of this node (${writePrefix(lease)})`
  const hide = atRandom ? hideAtRandom : hideBehind(undefined)
  const rule = (test: HeaderTest, target: RuleWords['target'], reason: string): Step => append(POSTROUTING, { matches: [header(test), comment], target, owner: OWNER, reason })
  return [
    makeChain(POSTROUTING),
    append(inNat('POSTROUTING'), { matches: [comment], target: jumpTo(POSTROUTING.chain), owner: OWNER, reason: 'packets of pods may need the address of the node' }),
    append(POSTROUTING, { matches: [marked(0x4000, 0x4000), comment], target: verdict('RETURN'), owner: OWNER, reason: 'kube-proxy masquerades what it marked itself' }),
    rule({ source: lease, destination: network }, verdict('RETURN'), `${here} and other pods see each other's addresses`),
    rule({ source: network, destination: lease }, verdict('RETURN'), `other pods and ${here} see each other's addresses`),
    rule({ source: not(network), destination: lease }, verdict('RETURN'), `${here} see who asks from outside`),
    rule({ source: network, destination: not(multicastPrefix(family)) }, hide, `what ${pods} send out of the cluster has the address of the node`),
    rule({ source: not(network), destination: network }, hide, `what comes from outside for pods of other nodes has the address of the node, so that answers come back by it`),
  ]
}

function forwardSteps({ network }: FlannelSide): readonly Step[] {
  const comment = commented('flanneld forward')
  return [
    makeChain(FORWARD),
    append(inFilter('FORWARD'), { matches: [comment], target: jumpTo(FORWARD.chain), owner: OWNER, reason: 'pods are forwarded also where the policy of FORWARD is DROP' }),
    append(FORWARD, { matches: [header({ source: network }), comment], target: verdict('ACCEPT'), owner: OWNER, reason: `what pods (${writePrefix(network)}) send passes` }),
    append(FORWARD, { matches: [header({ destination: network }), comment], target: verdict('ACCEPT'), owner: OWNER, reason: `what is for pods (${writePrefix(network)}) passes` }),
  ]
}
