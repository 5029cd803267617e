/** What felix writes on every node, whatever pods are there. Source: calico felix/rules/static.go. */

import { CT_STATE } from '../meaning/fields.ts'
import { PROTOCOL } from '../net/protocol.ts'
import type { CalicoNode } from './calico.ts'
import { ALL_MARKS, arrivesOn, clear, end, FELIX_MARK, felixRule, fromNode, goTo, hide, inFelixSet, isMarked, isSpoofed, isUnmarked, jump, leavesBy, notFromDevice, notInFelixSet, notTranslated, ofNumber, ofPorts, ofProtocol, ofState, ofUdpPort, raise, toNode, untrack } from './felix-rule.ts'
import type { FelixRule, FelixTest } from './felix-rule.ts'

/** A chain with its rules. */
export interface FelixChain {
  readonly table: 'raw' | 'mangle' | 'nat' | 'filter'
  readonly name: string
  readonly rules: readonly FelixRule[]
}

/** Devices of pods. */
export const POD_DEVICES = 'cali+'

const ACCEPTED = isMarked(FELIX_MARK.accept)
const IPIP = 4
const established = ofState('RELATED,ESTABLISHED', CT_STATE.RELATED | CT_STATE.ESTABLISHED)

/** Returns the chains of a node. */
export function staticChains(node: CalicoNode): readonly FelixChain[] {
  return [...rawChains(node), ...mangleChains(), ...natChains(node), ...filterChains(node)]
}

function jumpAll(table: FelixChain['table'], name: string, target: string, reason: string): FelixChain {
  return { table, name, rules: [felixRule([], jump(target), reason)] }
}

/** Returns the jumps at the beginning of built-in chains. */
export function insertedJumps(): readonly FelixChain[] {
  const all = 'all packets go through the rules of felix first'
  return [
    jumpAll('raw', 'PREROUTING', 'cali-PREROUTING', all), jumpAll('raw', 'OUTPUT', 'cali-OUTPUT', all),
    jumpAll('mangle', 'PREROUTING', 'cali-PREROUTING', all), jumpAll('mangle', 'POSTROUTING', 'cali-POSTROUTING', all),
    jumpAll('nat', 'PREROUTING', 'cali-PREROUTING', all), jumpAll('nat', 'OUTPUT', 'cali-OUTPUT', all),
    jumpAll('filter', 'INPUT', 'cali-INPUT', all), jumpAll('filter', 'FORWARD', 'cali-FORWARD', all), jumpAll('filter', 'OUTPUT', 'cali-OUTPUT', all),
  ]
}

/** Returns the rules at the end of built-in chains. */
export function appendedRules(): readonly FelixChain[] {
  return [
    jumpAll('nat', 'POSTROUTING', 'cali-POSTROUTING', 'felix translates what kube-proxy has not'),
    { table: 'filter', name: 'FORWARD', rules: [
      felixRule([ACCEPTED], end('ACCEPT'), 'policies let the packet through', 'Policy explicitly accepted packet.'),
      felixRule([], raise(FELIX_MARK.accept), 'tells the mangle table that the packet is forwarded'),
    ] },
  ]
}

function rawChains({ vxlan, vxlanPort }: CalicoNode): readonly FelixChain[] {
  const notrack = vxlan ? [felixRule([ofProtocol('udp', PROTOCOL.udp), ofUdpPort(vxlanPort)], untrack, 'the two directions of VXLAN have different ports: they make no connection')] : []
  const scratch = FELIX_MARK.scratch0
  return [
    { table: 'raw', name: 'cali-PREROUTING', rules: [
      felixRule([], clear(ALL_MARKS), 'the marks of others mean nothing'), ...notrack,
      felixRule([arrivesOn(POD_DEVICES)], raise(scratch), 'the packet comes from a pod'),
      felixRule([isMarked(scratch)], jump('cali-rpf-skip'), 'some pods may send with addresses of others'),
      felixRule([isMarked(scratch), isSpoofed], end('DROP'), 'pods do not send with addresses of others'),
      felixRule([isUnmarked(scratch)], jump('cali-from-host-endpoint'), 'policies of the node itself that need no connection'),
      felixRule([ACCEPTED], end('ACCEPT'), 'they let the packet through'),
    ] },
    { table: 'raw', name: 'cali-OUTPUT', rules: [
      felixRule([], clear(ALL_MARKS), 'the marks of others mean nothing'),
      felixRule([], jump('cali-to-host-endpoint'), 'policies of the node itself that need no connection'), ...notrack,
      felixRule([ACCEPTED], end('ACCEPT'), 'they let the packet through'),
    ] },
    ...['cali-rpf-skip', 'cali-from-host-endpoint', 'cali-to-host-endpoint'].map(name => ({ table: 'raw' as const, name, rules: [] })),
  ]
}

function mangleChains(): readonly FelixChain[] {
  const byPolicy = 'Host endpoint policy accepted packet.'
  return [
    { table: 'mangle', name: 'cali-PREROUTING', rules: [
      felixRule([established], end('ACCEPT'), 'what belongs to a connection passes'),
      felixRule([ACCEPTED], end('ACCEPT'), 'the raw table let the packet through'),
      felixRule([], jump('cali-from-host-endpoint'), 'policies of the node itself before translation'),
      felixRule([ACCEPTED], end('ACCEPT'), 'they let the packet through', byPolicy),
    ] },
    { table: 'mangle', name: 'cali-POSTROUTING', rules: [
      felixRule([inFelixSet('cali40dscp-src-net', 'src'), notInFelixSet('cali40network-ip-pools', 'dst'), notInFelixSet('cali40this-host', 'dst')], jump('cali-egress-dscp'), 'some pods ask for a class of service', 'set dscp for traffic leaving cluster.'),
      felixRule([ACCEPTED], end('RETURN'), 'the packet is forwarded: policies of the node itself are for what it sends'),
      felixRule([], clear(ALL_MARKS), 'what follows begins anew'),
      felixRule([ofState('DNAT', CT_STATE.DNAT)], jump('cali-to-host-endpoint'), 'the device is known only now where the destination was translated'),
      felixRule([ACCEPTED], end('RETURN'), 'policies let the packet through', byPolicy),
    ] },
    ...['cali-egress-dscp', 'cali-from-host-endpoint', 'cali-to-host-endpoint'].map(name => ({ table: 'mangle' as const, name, rules: [] })),
  ]
}

function natChains({ ipip, vxlan, vxlanPort, natOutgoing }: CalicoNode): readonly FelixChain[] {
  const rewrite = (device: string, before: readonly FelixTest[], action: FelixRule['action']): FelixRule =>
    felixRule([...before, leavesBy(device), notFromDevice, fromNode], action, `what the node sends through ${device} has the address of that device`)
  const freePort = { words: `--jump MASQUERADE --to-ports ${vxlanPort + 1}-65535 --random-fully`, target: { kind: 'target' as const, name: 'MASQUERADE', infos: { 'to-ports': { value: { low: vxlanPort + 1, high: 65535 }, inverted: false }, 'random-fully': { value: true, inverted: false } } } }
  return [
    { table: 'nat', name: 'cali-PREROUTING', rules: [felixRule([], jump('cali-fip-dnat'), 'floating addresses lead to pods')] },
    { table: 'nat', name: 'cali-OUTPUT', rules: [felixRule([], jump('cali-fip-dnat'), 'floating addresses lead to pods, for the node too')] },
    { table: 'nat', name: 'cali-POSTROUTING', rules: [
      felixRule([], jump('cali-fip-snat'), 'pods with a floating address that talk to themselves'),
      felixRule([], jump('cali-nat-outgoing'), 'pods that leave the cluster'),
      ...(ipip ? [rewrite('tunl0', [], hide)] : []),
      ...(vxlan ? [rewrite('vxlan.calico', [ofProtocol('udp', PROTOCOL.udp)], freePort), rewrite('vxlan.calico', [], hide)] : []),
    ] },
    { table: 'nat', name: 'cali-fip-dnat', rules: [] }, { table: 'nat', name: 'cali-fip-snat', rules: [] },
    { table: 'nat', name: 'cali-nat-outgoing', rules: natOutgoing ? [felixRule([inFelixSet('cali40masq-ipam-pools', 'src'), notInFelixSet('cali40network-ip-pools', 'dst')], hide, 'what pods send out of the cluster has the address of the node')] : [] },
  ]
}

function filterChains(node: CalicoNode): readonly FelixChain[] {
  const byPolicy = 'Host endpoint policy accepted packet.'
  const toHost: readonly FelixRule[] = node.toHost === 'RETURN' ? [] : [felixRule([], end(node.toHost), 'what pods send to the node itself', 'Configured DefaultEndpointToHostAction')]
  return [
    { table: 'filter', name: 'cali-FORWARD', rules: [
      felixRule([], clear(ALL_MARKS & ~FELIX_MARK.accept), 'the marks of others mean nothing'),
      felixRule([isUnmarked(FELIX_MARK.accept)], jump('cali-from-hep-forward'), 'policies of the node itself for what it forwards'),
      felixRule([arrivesOn(POD_DEVICES)], jump('cali-from-wl-dispatch'), 'policies for what a pod sends'),
      felixRule([leavesBy(POD_DEVICES)], jump('cali-to-wl-dispatch'), 'policies for what a pod is sent'),
      felixRule([], jump('cali-to-hep-forward'), 'policies of the node itself for what leaves it'),
      felixRule([], jump('cali-cidr-block'), 'addresses of services that nobody has do not go round'),
    ] },
    { table: 'filter', name: 'cali-INPUT', rules: [
      ...tunnelsIn(node),
      felixRule([arrivesOn(POD_DEVICES)], goTo('cali-wl-to-host'), 'what pods send to the node'),
      felixRule([ACCEPTED], end('ACCEPT'), 'an earlier table let the packet through'),
      felixRule([], clear(ALL_MARKS), 'what follows begins anew'),
      felixRule([], jump('cali-from-host-endpoint'), 'policies of the node itself'),
      felixRule([ACCEPTED], end('ACCEPT'), 'they let the packet through', byPolicy),
    ] },
    { table: 'filter', name: 'cali-OUTPUT', rules: [
      felixRule([ACCEPTED], end('ACCEPT'), 'an earlier table let the packet through'),
      felixRule([leavesBy(POD_DEVICES)], end('RETURN'), 'the node itself reaches its pods'),
      ...tunnelsOut(node),
      felixRule([], clear(ALL_MARKS), 'what follows begins anew'),
      felixRule([notTranslated], jump('cali-to-host-endpoint'), 'policies of the node itself; where the destination was translated the mangle table asks them'),
      felixRule([ACCEPTED], end('ACCEPT'), 'they let the packet through', byPolicy),
    ] },
    { table: 'filter', name: 'cali-wl-to-host', rules: [felixRule([], jump('cali-from-wl-dispatch'), 'policies for what a pod sends'), ...toHost] },
    ...['cali-cidr-block', 'cali-from-hep-forward', 'cali-from-host-endpoint', 'cali-to-hep-forward', 'cali-to-host-endpoint'].map(name => ({ table: 'filter' as const, name, rules: [] })),
  ]
}

function tunnelsIn({ ipip, vxlan, vxlanPort }: CalicoNode): readonly FelixRule[] {
  const port = ofPorts('destination', [{ low: vxlanPort, high: vxlanPort }])
  return [
    ...(ipip ? [
      felixRule([ofNumber(IPIP), inFelixSet('cali40all-hosts-net', 'src'), toNode], end('ACCEPT'), 'other nodes send packets of pods in IPIP', 'Allow IPIP packets from Calico hosts'),
      felixRule([ofNumber(IPIP)], end('DROP'), 'nobody else does', 'Drop IPIP packets from non-Calico hosts'),
    ] : []),
    ...(vxlan ? [
      felixRule([ofNumber(PROTOCOL.udp), port, inFelixSet('cali40all-vxlan-net', 'src'), toNode], end('ACCEPT'), 'other nodes send packets of pods in VXLAN', 'Allow IPv4 VXLAN packets from allowed hosts'),
      felixRule([ofNumber(PROTOCOL.udp), port, toNode], end('DROP'), 'nobody else does', 'Drop IPv4 VXLAN packets from non-allowed hosts'),
    ] : []),
  ]
}

function tunnelsOut({ ipip, vxlan, vxlanPort }: CalicoNode): readonly FelixRule[] {
  return [
    ...(ipip ? [felixRule([ofNumber(IPIP), inFelixSet('cali40all-hosts-net', 'dst'), fromNode], end('ACCEPT'), 'the node sends packets of pods to other nodes', 'Allow IPIP packets to other Calico hosts')] : []),
    ...(vxlan ? [felixRule([ofNumber(PROTOCOL.udp), ofPorts('destination', [{ low: vxlanPort, high: vxlanPort }]), fromNode, inFelixSet('cali40all-vxlan-net', 'dst')], end('ACCEPT'), 'the node sends packets of pods to other nodes', 'Allow IPv4 VXLAN packets to other allowed hosts')] : []),
  ]
}
