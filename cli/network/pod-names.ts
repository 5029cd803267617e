/** Names of pods, and HOST, that stand for addresses in packets. */

import { HOST_NAME } from '../../src/docker/names.ts'
import { didYouMean } from '../../src/extensions/did-you-mean.ts'
import { familyOf, readAddress, writeAddress } from '../../src/net/address.ts'
import type { Address, Family } from '../../src/net/address.ts'
import { addressOfHost } from '../../src/topology/assumed-host.ts'
import type { Container, Namespace } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'

/**
 * Returns a packet text in which names before and behind `>` are addresses, of the family that the other end has, else IPv4. A packet of a pod
 * that names no device begins in the pod. An unknown name is a `commandError`.
 */
export function fillPods(text: string, pods: readonly Container[], namespaces: readonly Namespace[], outside: Namespace): string {
  const [, before = '', source = '', destination = '', after = ''] = /^(.*?)(\S+)\s+>\s+(\S+)(.*)$/s.exec(text) ?? []
  const ends = [source, destination].map(end => nameOf(end, pods))
  const [from, to] = ends
  if (!from || !to || (from.name === undefined && to.name === undefined)) return text
  const family = familyGiven(source) ?? familyGiven(destination) ?? 'ipv4'
  const write = (end: PodEnd, other: PodEnd): string => {
    if (end.name === undefined) return end.text
    const address = end.name === HOST_NAME && other.name !== undefined && end === from ? gatewayOf(other.name, family, namespaces, outside) : addressOf(end.name, family, namespaces, outside)
    if (address === undefined) throw commandError(`\`${end.name}\` has no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address (in \`${text}\`)`, 'name another one')
    return `${typeof address === 'bigint' && end.port !== '' ? `[${writeAddress(address)}]` : writeAddress(address)}${end.port}`
  }
  const isMadeHere = before.trim().split(/\s+/).length === 1
  const place = isMadeHere && from.name !== undefined && from.name !== HOST_NAME ? `${from.name}/ ` : ''
  return `${place}${before}${write(from, to)} > ${write(to, from)}${after}`
}

interface PodEnd {
  readonly text: string
  readonly name: string | undefined
  readonly port: string
}

function nameOf(text: string, pods: readonly Container[]): PodEnd {
  const [, name = '', port = ''] = /^([A-Za-z][\w.-]*)(:\d+)?$/.exec(text) ?? []
  if (name === '' || readAddress(text) !== undefined) return { text, name: undefined, port: '' }
  const known = [HOST_NAME, ...pods.map(pod => pod.name)]
  if (!known.includes(name)) throw commandError(`there is no pod \`${name}\``, didYouMean(name, known) ?? `known are ${known.join(', ')}`)
  return { text, name, port }
}

function familyGiven(text: string): Family | undefined {
  const address = readAddress(/^\[([^\]]+)\]/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, '$1'))
  return address === undefined ? undefined : familyOf(address)
}

function addressOf(name: string, family: Family, namespaces: readonly Namespace[], outside: Namespace): Address | undefined {
  if (name === HOST_NAME) return addressOfHost(outside, family)
  const pod = namespaces.find(namespace => namespace.name === name)
  return pod && addressOfHost(pod, family)
}

/** To a pod the host sends from the address of the bridge. */
function gatewayOf(name: string, family: Family, namespaces: readonly Namespace[], outside: Namespace): Address | undefined {
  const pod = namespaces.find(namespace => namespace.name === name)
  const gateway = pod?.routes.map(route => route.gateway).find(address => address !== undefined && familyOf(address) === family)
  return gateway ?? addressOfHost(outside, family)
}
