/** Changes to a namespace, as `ip`, `bridge`, `sysctl` and `iptables` make them: a changed topology is a new topology. */

import { didYouMean } from '../extensions/did-you-mean.ts'
import { changeAddresses } from './change-addresses.ts'
import { changeLinks } from './change-links.ts'
import { changeRoutes } from './change-routes.ts'
import type { TextReading } from './route-text.ts'
import type { Namespace, RulesetText, Topology } from './topology.ts'

/** A command in a namespace: `ip link set veth0 master br0`. */
export interface ChangeCommand {
  readonly namespace: string
  readonly command: string
}

/** Returns the topology after a command; a command that the kernel would refuse, or that is not known here, is a problem. */
export function applyChange(topology: Topology, { namespace, command }: ChangeCommand): TextReading<Topology> {
  const place = topology.namespaces.find(one => one.name === namespace)
  if (!place) return problem(`there is no namespace \`${namespace}\``, didYouMean(namespace, topology.namespaces.map(({ name }) => name)))
  const words = command.trim().split(/\s+/)
  const [program = '', object = ''] = words
  switch (program) {
    case 'ip':
      return changeByIp(topology, place, object, words.slice(2))
    case 'bridge':
      return object === 'link' ? changeLinks(topology, place, words.slice(2)) : problem(`\`bridge ${object}\` is not known here`, 'known is `bridge link set dev DEVICE hairpin on|off`')
    case 'sysctl':
      return replaced(topology, setSysctls(place, words.slice(1)))
    case 'iptables':
    case 'ip6tables':
      return replaced(topology, { ok: true, value: addRule(place, program, command) })
    default:
      return problem(`\`${program}\` is not known here`, 'known are ip, bridge, sysctl, iptables, ip6tables')
  }
}

/** `ip` takes any beginning of a word that is long enough. */
function changeByIp(topology: Topology, place: Namespace, object: string, words: readonly string[]): TextReading<Topology> {
  if (object !== '' && 'address'.startsWith(object)) return replaced(topology, changeAddresses(place, words))
  if (object !== '' && 'link'.startsWith(object)) return changeLinks(topology, place, words)
  if ((object !== '' && 'route'.startsWith(object)) || object === 'rule' || object === 'neigh') return replaced(topology, changeRoutes(place, object === 'rule' || object === 'neigh' ? object : 'route', words))
  return problem(`\`ip ${object}\` is not known here`, 'known are ip address, ip link, ip route, ip rule, ip neigh')
}

function setSysctls(place: Namespace, words: readonly string[]): TextReading<Namespace> {
  const settings = words.filter(word => !word.startsWith('-')).map(word => word.split('='))
  if (settings.length === 0 || settings.some(parts => parts.length !== 2)) return problem('write `sysctl -w NAME=VALUE`')
  return { ok: true, value: { ...place, sysctls: { ...place.sysctls, ...Object.fromEntries(settings.map(([name = '', value = '']) => [name.replaceAll('/', '.'), value])) } } }
}

/** A command changes what was loaded before it. */
function addRule(place: Namespace, program: 'iptables' | 'ip6tables', command: string): Namespace {
  const text: RulesetText = { family: program === 'iptables' ? 'ipv4' : 'ipv6', source: { path: command, text: `${command}\n` } }
  return { ...place, rulesets: [...(place.rulesets ?? []), text] }
}

function replaced(topology: Topology, reading: TextReading<Namespace>): TextReading<Topology> {
  if (!reading.ok) return reading
  return { ok: true, value: { ...topology, namespaces: topology.namespaces.map(one => (one.name === reading.value.name ? reading.value : one)) } }
}

function problem(text: string, help?: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: help === undefined ? text : `${text}: ${help}` }
}
